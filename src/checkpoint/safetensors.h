// The safetensors format (spec/file-formats.md is this project's reading of
// github.com/huggingface/safetensors), single files and sharded ones.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/tensor.h"

namespace lambert {

// Checks all of `file` (header, offsets, sizes; not the values), then pushes each tensor in the
// order of its data. `source` names the file in messages. Throws kInvalidModel, naming the tensor,
// and kUnsupportedModel for a dtype that no weight of ours can have.
void read_safetensors(std::span<const std::byte> file, std::string_view source,
                      const TensorSink& sink);

// The file names that a model.safetensors.index.json refers to, each once, sorted; plain basenames
// only. Throws kInvalidModel.
std::vector<std::string> parse_safetensors_index(std::string_view json, std::string_view source);

}  // namespace lambert
