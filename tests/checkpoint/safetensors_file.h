// Writing and reading safetensors bytes in tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/safetensors.h"
#include "golden_cases.h"

namespace lambert {

// The u64 that a file begins with.
inline std::string header_length(std::uint64_t length) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i) & 0xFF);
  return bytes;
}

inline std::string safetensors_file(std::string_view header, std::string_view data) {
  return header_length(header.size()) + std::string(header) + std::string(data);
}

inline std::vector<ReadTensor> read_all(std::string_view file) {
  return copy_tensors(file, "model.safetensors", read_safetensors);
}

}  // namespace lambert
