// Whether numbers are neither infinite nor NaN.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "checkpoint/tensor.h"

namespace lambert {

// `exponent` masks the exponent bits of a number of the size of `Bits`. Any alignment. (count)
template <typename Bits>
bool all_finite_bits(const void* numbers, std::size_t count, Bits exponent) {
  const auto* from = static_cast<const unsigned char*>(numbers);
  unsigned bad = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Bits bits = 0;
    std::memcpy(&bits, from + i * sizeof bits, sizeof bits);
    bad |= static_cast<unsigned>((bits & exponent) == exponent);
  }
  return bad == 0;
}

inline bool all_finite(const float* values, std::size_t count) {
  return all_finite_bits<std::uint32_t>(values, count, 0x7F800000);
}

// Of a tensor of weights. (count)
inline bool all_finite(DType dtype, const std::byte* numbers, std::size_t count) {
  switch (dtype) {
    case DType::kF16: return all_finite_bits<std::uint16_t>(numbers, count, 0x7C00);
    case DType::kBF16: return all_finite_bits<std::uint16_t>(numbers, count, 0x7F80);
    default: return all_finite_bits<std::uint32_t>(numbers, count, 0x7F800000);
  }
}

}  // namespace lambert
