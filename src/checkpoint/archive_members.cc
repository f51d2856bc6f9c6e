#include "checkpoint/archive_members.h"

#include <algorithm>
#include <array>

namespace lambert {

namespace {

constexpr std::array<std::string_view, 8> kTexts = {
    "config.json",       "tokenizer.json",          "vocab.txt",  "tokenizer_config.json",
    "added_tokens.json", "special_tokens_map.json", "vocab.json", "merges.txt"};
constexpr std::array<std::string_view, 4> kWeightEndings = {".safetensors", ".bin", ".pt", ".pth"};
// What the Trainer of transformers leaves beside the weights.
constexpr std::array<std::string_view, 5> kTraining = {"training_args.", "optimizer.", "scheduler.",
                                                       "scaler.", "rng_state"};

}  // namespace

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

MemberKind member_kind(std::string_view name) {
  const auto begins = [&](std::string_view prefix) { return name.starts_with(prefix); };
  const auto ends = [&](std::string_view ending) { return name.ends_with(ending); };
  if (begins("._") || std::any_of(kTraining.begin(), kTraining.end(), begins)) {
    return MemberKind::kUnrelated;
  }
  if (std::find(kTexts.begin(), kTexts.end(), name) != kTexts.end() || ends(".index.json")) {
    return MemberKind::kText;
  }
  const bool weights =
      name == kBundleName || std::any_of(kWeightEndings.begin(), kWeightEndings.end(), ends);
  return weights ? MemberKind::kWeights : MemberKind::kUnrelated;
}

}  // namespace lambert
