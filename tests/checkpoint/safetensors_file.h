// Writing and reading safetensors bytes in tests.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/safetensors.h"

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

// A tensor with copies of everything that a sink is given.
struct ReadTensor {
  std::string name;
  DType dtype;
  std::vector<std::uint64_t> shape;
  std::string data;
};

// The bytes are copied to a heap block of exactly their size, so that ASan sees reads past it.
inline std::vector<ReadTensor> read_all(std::string_view file) {
  const std::vector<char> bytes(file.begin(), file.end());
  std::vector<ReadTensor> tensors;
  read_safetensors(std::as_bytes(std::span(bytes)), "model.safetensors", [&](const Tensor& tensor) {
    tensors.push_back(
        {std::string(tensor.name), tensor.dtype, tensor.shape,
         std::string(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size())});
  });
  return tensors;
}

}  // namespace lambert
