// One file of weights in any of the formats that we read.
#pragma once

#include <span>
#include <string_view>

#include "checkpoint/tensor.h"

namespace lambert {

// Recognises the format by the first bytes, whatever the file is called, and pushes its tensors.
// Throws what the reader of the format throws, and kUnsupportedModel for another known format,
// saying what to do.
void read_weights_file(std::span<const std::byte> file, std::string_view source,
                       const TensorSink& sink);

}  // namespace lambert
