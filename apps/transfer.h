// What the commands that move models about have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/byte_sink.h"

namespace lambert {

// Writes `output` through `write`, which is given where its bytes go; under its name only when
// complete. Refuses a file that is there, unless `force`. Shows how far it is, of `total` bytes (0:
// not known). Returns the bytes written. Throws kIo, kInvalidArgument and what `write` throws.
std::size_t write_output(const std::string& output, bool force, std::uint64_t total,
                         const std::function<void(const ByteSink&)>& write);

std::string size_text(std::size_t bytes);  // "812 bytes", "3.1 MB"

}  // namespace lambert
