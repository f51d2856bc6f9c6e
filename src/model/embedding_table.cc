#include "model/embedding_table.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace lambert {

void widen_bf16(const std::byte* from, float* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, from + 2 * i, 2);
    to[i] = std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }
}

void widen(const Kernels& kernels, DType dtype, const std::byte* from, float* to,
           std::size_t count) {
  switch (dtype) {
    case DType::kF32: std::memcpy(to, from, count * sizeof(float)); return;
    case DType::kF16: kernels.widen_f16(from, to, count); return;
    case DType::kBF16: widen_bf16(from, to, count); return;
    default: return;  // never a weight: refused where tensors are taken
  }
}

void widen_row(const Kernels& kernels, const EmbeddingTable& table, std::size_t row, float* to) {
  const std::byte* from = table.values.data() + row * table.width * item_size(table.dtype);
  if (table.dtype != DType::kI8) return widen(kernels, table.dtype, from, to, table.width);
  const auto* values = reinterpret_cast<const std::int8_t*>(from);
  const float scale = table.scales[row];
  for (std::size_t i = 0; i < table.width; ++i) to[i] = static_cast<float>(values[i]) * scale;
}

float quantize_row(std::span<const float> values, std::int8_t* to) {
  constexpr float kRound = 0x1.8p23F;  // added and taken away: to the nearest integer, ties to even
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::fabs(value));
  const float inverse = largest >= 0x1p-100F ? 127.0F / largest : 0.0F;
  for (std::size_t i = 0; i < values.size(); ++i) {
    to[i] = static_cast<std::int8_t>(values[i] * inverse + kRound - kRound);
  }
  return largest / 127.0F;
}

}  // namespace lambert
