// What every checkpoint reader produces: named tensors, pushed in any order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lambert {

// A weight is one of the first three; the others are position ids and what else checkpoints hold.
enum class DType {
  kF32,
  kF16,
  kBF16,
  kF64,
  kI64,
  kI32,
  kI16,
  kI8,
  kU64,
  kU32,
  kU16,
  kU8,
  kBool,
  kF8E5M2,
  kF8E4M3
};

std::size_t item_size(DType dtype);        // bytes
std::string_view dtype_name(DType dtype);  // as safetensors has it: "F32", "BOOL", "F8_E4M3"
constexpr bool is_weight(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16;
}

// A contiguous row-major little-endian tensor. `data` has exactly item_size * product of shape
// bytes and no promised alignment; `name` lives only as long as the call of the sink.
struct Tensor {
  std::string_view name;
  DType dtype = DType::kF32;
  std::vector<std::uint64_t> shape;
  std::span<const std::byte> data;
  // What `data` lies in when that is not the file (put in order, inflated): keep it as long as the
  // data is used. Null: data lies in the file and lives as long as that.
  std::shared_ptr<const void> owner = nullptr;
  // Other tensors may lie over the same bytes of the file, so these cannot be given back yet.
  bool shared = false;

  // Readers have checked that the product does not overflow.
  std::uint64_t elements() const {
    std::uint64_t product = 1;
    for (const std::uint64_t extent : shape) product *= extent;
    return product;
  }
};

using TensorSink = std::function<void(const Tensor&)>;

}  // namespace lambert
