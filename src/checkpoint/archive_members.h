// Which files of an archive are of use to a model.
#pragma once

#include <string_view>

namespace lambert {

enum class MemberKind {
  kUnrelated,  // not read; its name is of use in messages
  kText,       // configuration, tokenizer, index of shards
  kWeights
};

// A packed model among other files (bundle.h).
inline constexpr std::string_view kBundleName = "model.lambert";

// By the name alone, which has no directories: a closed list of texts; model.lambert,
// *.safetensors, *.bin, *.pt and *.pth but for what training leaves (optimizer.pt,
// training_args.bin, ...).
MemberKind member_kind(std::string_view name);

// "a/b/c" -> "c"
std::string_view base_name(std::string_view path);

}  // namespace lambert
