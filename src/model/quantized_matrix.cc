#include "model/quantized_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/kernels.h"

namespace lambert {

namespace {

template <typename T>
AlignedBuffer<T> zeroed(std::size_t size, Pages pages = Pages::kUsual) {
  AlignedBuffer<T> buffer(size, pages);
  std::memset(buffer.data(), 0, size * sizeof(T));
  return buffer;
}

// The largest sum of the magnitudes of a group: k = 8i, 8i + 1, 8i + 4, 8i + 5, or those in
// between.
double highest_group(std::span<const float> weights) {
  double highest = 0;
  for (std::size_t i = 0; i < weights.size(); i += 8) {
    double sums[2] = {};
    for (std::size_t k = i; k < std::min(i + 8, weights.size()); ++k) {
      sums[k / 2 % 2] += std::fabs(double{weights[k]});
    }
    highest = std::max({highest, sums[0], sums[1]});
  }
  return highest;
}

}  // namespace

QuantizedMatrix::QuantizedMatrix(std::size_t inputs, std::size_t panel_count)
    : k(round_up(inputs, kDepthS8)),
      panels(panel_count),
      values(zeroed<std::int8_t>(panels * k * kPanel, Pages::kHuge)),
      scales(zeroed<float>(panels * kPanel)),
      sums(zeroed<std::int32_t>(panels * kPanel)) {}

std::size_t QuantizedMatrix::bytes(std::size_t inputs, std::size_t panels) {
  return panels * kPanel * (round_up(inputs, kDepthS8) + sizeof(float) + sizeof(std::int32_t));
}

void QuantizedMatrix::set_column(std::size_t column, std::span<const float> weights) {
  constexpr double kGroup = 126;  // rounding adds at most 2 to it
  const double highest = highest_group(weights);
  const double inverse = highest >= 0x1p-100 ? kGroup / highest : 0;
  std::int8_t* to = values.data() + column / kPanel * k * kPanel + column % kPanel * 4;
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto value = static_cast<std::int8_t>(std::nearbyint(double{weights[i]} * inverse));
    to[i / 4 * 4 * kPanel + i % 4] = value;
    sum += value;
  }
  scales[column] = static_cast<float>(highest / kGroup);
  sums[column] = sum;
}

}  // namespace lambert
