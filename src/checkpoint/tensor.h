// What every checkpoint reader produces: named tensors, pushed in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lambert {

enum class DType { kF32, kF16, kBF16, kI64 };  // kI64: position ids and the like, never a weight

constexpr std::size_t item_size(DType dtype) {
  return dtype == DType::kI64 ? 8 : dtype == DType::kF32 ? 4 : 2;
}
std::string_view dtype_name(DType dtype);  // "F32"

// A contiguous row-major little-endian tensor. `data` has exactly item_size * product of shape
// bytes, no promised alignment, and lives as long as the file it was read from; `name` lives only
// as long as the call of the sink.
struct Tensor {
  std::string_view name;
  DType dtype = DType::kF32;
  std::vector<std::uint64_t> shape;
  std::span<const std::byte> data;

  // Readers have checked that the product does not overflow.
  std::uint64_t elements() const {
    std::uint64_t product = 1;
    for (const std::uint64_t extent : shape) product *= extent;
    return product;
  }
};

using TensorSink = std::function<void(const Tensor&)>;

}  // namespace lambert
