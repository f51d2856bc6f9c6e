#include "model/quantized_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "kernels/kernels.h"

namespace lambert {

namespace {

// Added and taken away: to the nearest integer, ties to even, in a third of std::nearbyint's time.
constexpr double kRoundS8 = 0x1.8p52;

template <typename T>
WeightArray<T> zeroed(std::size_t size, Pages pages = Pages::kUsual) {
  AlignedBuffer<T> buffer(size, pages);
  std::memset(buffer.data(), 0, size * sizeof(T));
  return WeightArray<T>(std::move(buffer));
}

// The largest sum over the weights of one sign in a group: k = 8i, 8i + 1, 8i + 4, 8i + 5, or those
// in between.
double highest_group(std::span<const float> weights) {
  double highest = 0;
  for (std::size_t i = 0; i < weights.size(); i += 8) {
    double groups[4] = {};  // two of weights above zero, two of the others
    for (std::size_t k = i; k < std::min(i + 8, weights.size()); ++k) {
      groups[(weights[k] > 0 ? 0U : 2U) + k / 2 % 2] += std::fabs(double{weights[k]});
    }
    highest = std::max(highest, *std::max_element(groups, groups + 4));
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

void QuantizedMatrix::set_column(std::size_t column, std::span<const float> weights) {
  constexpr double kGroup = 126;  // rounding adds at most 2 to it
  const double highest = highest_group(weights);
  const double inverse = highest >= 0x1p-100 ? kGroup / highest : 0;
  std::int8_t* to = values.writable() + column / kPanel * k * kPanel + column % kPanel * 4;
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto value = static_cast<std::int8_t>(double{weights[i]} * inverse + kRoundS8 - kRoundS8);
    to[i / 4 * 4 * kPanel + i % 4] = value;
    sum += value;
  }
  scales.writable()[column] = static_cast<float>(highest / kGroup);
  sums.writable()[column] = sum;
}

bool QuantizedMatrix::is_sound() const {
  constexpr int kMostOfGroup = 128;
  for (std::size_t column = 0; column < panels * kPanel; ++column) {
    const std::int8_t* from = values.data() + column / kPanel * k * kPanel + column % kPanel * 4;
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < k; i += 8) {
      int groups[4] = {};
      for (std::size_t n = i; n < i + 8; ++n) {
        const std::int8_t value = from[n / 4 * 4 * kPanel + n % 4];
        groups[(value > 0 ? 0U : 2U) + n / 2 % 2] += std::abs(value);
        sum += value;
      }
      if (*std::max_element(groups, groups + 4) > kMostOfGroup) return false;
    }
    if (sum != sums[column] || !std::isfinite(scales[column])) return false;
  }
  return true;
}

}  // namespace lambert
