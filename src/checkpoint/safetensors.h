// The safetensors format (README of github.com/huggingface/safetensors), one file of it: u64 header
// length, JSON header, tensor data.
//
// Stricter than the reference library 0.8 in these rules only: the header has at most 25 MB and
// begins with '{'; no key stands there twice; at most 500,000 JSON values, nested at most 8 deep
// (fields that we do not know included); at most 10,000 tensors; names of at most 512 bytes; shapes
// of at most 8 dimensions; a tensor is an object, not an array of its three fields;
// __metadata__ is not null; numbers fit a double and lone surrogates are refused; dtypes are F32,
// F16, BF16 and I64. Wider in one: -0 is the integer 0.
#pragma once

#include <span>
#include <string_view>

#include "base/json.h"
#include "checkpoint/tensor.h"

namespace lambert {

// Checks all of `file` (header, offsets, sizes; not the values), then pushes each tensor in the
// order of its data. `source` names the file in messages. Throws kInvalidModel, naming the tensor,
// and kUnsupportedModel for a dtype that no weight of ours can have. Nothing is pushed before all
// checks have passed.
void read_safetensors(std::span<const std::byte> file, std::string_view source,
                      const TensorSink& sink);

// What JSON of this format, header or index, may have.
JsonLimits safetensors_json_limits();

}  // namespace lambert
