// The safetensors format (README of github.com/huggingface/safetensors), single files and sharded
// ones: u64 header length, JSON header, tensor data.
//
// Stricter than the reference library 0.8 in these rules only: the header has at most 25 MB and
// begins with '{'; no key stands there twice; at most 10,000 tensors; names of at most 512 bytes;
// shapes of at most 8 dimensions; a tensor is an object, not an array of its three fields;
// __metadata__ is not null; numbers fit a double and lone surrogates are refused; dtypes are F32,
// F16, BF16 and I64. Wider in one: -0 is the integer 0.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/tensor.h"

namespace lambert {

// Checks all of `file` (header, offsets, sizes; not the values), then pushes each tensor in the
// order of its data. `source` names the file in messages. Throws kInvalidModel, naming the tensor,
// and kUnsupportedModel for a dtype that no weight of ours can have. Nothing is pushed before all
// checks have passed.
void read_safetensors(std::span<const std::byte> file, std::string_view source,
                      const TensorSink& sink);

// The file names that a model.safetensors.index.json refers to, each once, sorted; plain basenames
// only. Throws kInvalidModel.
std::vector<std::string> parse_safetensors_index(std::string_view json, std::string_view source);

}  // namespace lambert
