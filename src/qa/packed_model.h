// A model as one file that is used where it is mapped: what `lambert pack` writes. The container is
// checkpoint/bundle.h's; the sections are
//
//   info    the version of the program that wrote it, and what it was made of, for people
//   modl    how the weights are packed, and the configuration
//   tokn    the tokenizer (text/tokenizer.h)
//   others  the weights (model/weight_sections.h)
//   iden    the identity: SHA-256 of, for each section but info and iden, ascending by kind and
//           index: kind (4 bytes), index (4), size (8), SHA-256 of its bytes
//
// The same model, precision and program give the same bytes, and in another version that packs
// alike the same identity. Numbers that are only computed with are not looked at when a model is
// opened: if they are wrong the answers are, but nothing outside is read. verify looks at them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "qa/loaded_model.h"

namespace lambert {

// What a packed model says of itself.
struct PackedInfo {
  std::string engine, source;  // "0.1.0", "distilbert-minilm-squad"
  std::string identity;        // 32 bytes
  EncoderConfig config;
};

// Views of the file, which the result owns. Throws kInvalidModel, kUnsupportedModel.
LoadedModel open_packed_model(MappedFile file);
PackedInfo packed_info(const MappedFile& file);

// Reads and checks everything: checksums, identity, numbers. Throws kInvalidModel.
void verify_packed_model(MappedFile file);

// Writes a model to `path`. `progress` is given the bytes done and all. Throws kIo.
void write_packed_model(LoadedModel& model, const std::string& path,
                        const std::function<void(std::uint64_t, std::uint64_t)>& progress);

// 32 bytes; of a model that was not packed what they would be.
std::string model_identity(LoadedModel& model);

}  // namespace lambert
