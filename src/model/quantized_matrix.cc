#include "model/quantized_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "kernels/kernels.h"

namespace lambert {

namespace {

// Added and taken away: to the nearest integer, ties to even, in a third of std::nearbyint's time.
constexpr double kRoundS8 = 0x1.8p52;

constexpr int kMostOfGroup = 128;  // after it

template <typename T>
WeightArray<T> zeroed(std::size_t size, Pages pages = Pages::kUsual) {
  AlignedBuffer<T> buffer(size, pages);
  std::memset(buffer.data(), 0, size * sizeof(T));
  return WeightArray<T>(std::move(buffer));
}

}  // namespace

QuantizedMatrix::Group QuantizedMatrix::largest_group(std::span<const float> weights) {
  Group largest;
  for (std::size_t i = 0; i < weights.size(); i += 8) {
    double groups[4] = {};  // two of weights above zero, two of the others
    for (std::size_t k = i; k < std::min(i + 8, weights.size()); ++k) {
      groups[(weights[k] > 0 ? 0U : 2U) + k / 2 % 2] += std::fabs(double{weights[k]});
    }
    const auto most = static_cast<std::size_t>(std::max_element(groups, groups + 4) - groups);
    if (groups[most] > largest.sum) largest = {i + most % 2 * 2, most < 2, groups[most]};
  }
  return largest;
}

QuantizedMatrix::QuantizedMatrix(std::size_t inputs, std::size_t panel_count)
    : k(round_up(inputs, kDepthS8)),
      panels(panel_count),
      values(zeroed<std::int8_t>(panels * k * kPanel, Pages::kHuge)),
      scales(zeroed<float>(panels * kPanel)),
      sums(zeroed<std::int32_t>(panels * kPanel)),
      multiplier(zeroed<float>(k)),
      addend(zeroed<float>(k)) {
  std::fill_n(multiplier.writable(), k, 1.0F);
}

float QuantizedMatrix::least_scale(std::span<const float> weights) {
  return static_cast<float>(largest_group(weights).sum / kGroup);
}

void QuantizedMatrix::set_column(std::size_t column, std::span<const float> weights) {
  const double highest = largest_group(weights).sum;
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

InputCovariance::InputCovariance(std::size_t k, std::vector<float> values)
    : k_(k), values_(std::move(values)), lower_(k * k) {
  constexpr double kDamping = 0.03;  // of the mean variance: found by trial
  double variances = 0;
  for (std::size_t j = 0; j < k; ++j) variances += double{row(j)[j]};
  if (!(variances > 0)) return;
  const double damping = kDamping * variances / static_cast<double>(k);
  std::vector<double> l(k * k);  // of Cholesky: L sqrt(D)
  for (std::size_t i = 0; i < k; ++i) {
    double* const at = l.data() + i * k;
    for (std::size_t j = 0; j <= i; ++j) {
      const double* const other = l.data() + j * k;
      double rest = double{row(i)[j]} + (i == j ? damping : 0);
      for (std::size_t n = 0; n < j; ++n) rest -= at[n] * other[n];
      at[j] = i == j ? std::sqrt(std::max(rest, damping)) : rest / other[j];
    }
    for (std::size_t j = 0; j < i; ++j) {
      lower_[i * k + j] = static_cast<float>(at[j] / l[j * k + j]);
    }
  }
}

namespace {

// The integers of a column on their way to less error.
class Descent {
 public:
  // `targets`: weights / scale
  Descent(std::vector<float> targets, const InputCovariance& covariance)
      : targets_(std::move(targets)), covariance_(covariance), gradient_(targets_.size()) {}

  // values: (targets), within the limits. Returns e^T C values / values^T C values, with e =
  // targets - values.
  double run(std::vector<int>& values) {
    constexpr int kSweeps = 8;
    const std::size_t n = targets_.size();
    round_backwards(values);
    for (std::size_t j = 0; j < n; ++j) {
      subtract(j, static_cast<float>(values[j]) - targets_[j]);
    }
    bool changed = true;
    for (int sweep = 0; sweep < kSweeps && changed; ++sweep) {
      changed = false;
      for (std::size_t j = 0; j < n; ++j) changed = step(j, values) || changed;
    }
    double of_error = 0, of_values = 0;
    std::vector<float> product(n);
    gradient_.swap(product);  // product: C e
    for (std::size_t j = 0; j < n; ++j) subtract(j, static_cast<float>(-values[j]));
    for (std::size_t j = 0; j < n; ++j) {
      of_error += double{product[j]} * values[j];
      of_values += double{gradient_[j]} * values[j];
    }
    return of_values > 0 ? of_error / of_values : 0;
  }

 private:
  void round_backwards(std::vector<int>& values) const {
    std::vector<float> carried(targets_.size());
    for (std::size_t j = targets_.size(); j-- > 0;) {
      const float best = targets_[j] + carried[j];
      if (!std::isfinite(best)) continue;
      values[j] = nearest_allowed(best, j, values);
      const float error = targets_[j] - static_cast<float>(values[j]);
      const std::span<const float> shares = covariance_.carried(j);
      for (std::size_t i = 0; i < j; ++i) carried[i] += shares[i] * error;
    }
  }

  // gradient -= amount * C[j]
  void subtract(std::size_t j, float amount) {
    const float* row = covariance_.row(j).data();
    for (std::size_t i = 0; i < gradient_.size(); ++i) gradient_[i] -= amount * row[i];
  }

  bool step(std::size_t j, std::vector<int>& values) {
    const float curvature = covariance_.row(j)[j];
    if (!(curvature > 0)) return false;
    const float best = static_cast<float>(values[j]) + gradient_[j] / curvature;
    if (!std::isfinite(best)) return false;
    const int value = nearest_allowed(best, j, values);
    if (value == values[j]) return false;
    subtract(j, static_cast<float>(value - values[j]));
    values[j] = value;
    return true;
  }

  // Of what value j may be, given the others of its group.
  static int nearest_allowed(float best, std::size_t j, const std::vector<int>& values) {
    int least = -kMostOfGroup, most = kMostOfGroup;
    const std::size_t first = j / 8 * 8 + j / 2 % 2 * 2;
    for (const std::size_t i : {first, first + 1, first + 4, first + 5}) {
      if (i == j || i >= values.size()) continue;
      (values[i] > 0 ? most : least) -= values[i];
    }
    return static_cast<int>(std::nearbyint(std::clamp(
        best, static_cast<float>(std::max(least, -127)), static_cast<float>(std::min(most, 127)))));
  }

  std::vector<float> targets_;
  const InputCovariance& covariance_;
  std::vector<float> gradient_;  // C e
};

}  // namespace

void QuantizedMatrix::refine_column(std::size_t column, std::span<const float> weights,
                                    const InputCovariance& c) {
  std::int8_t* const to = values.writable() + column / kPanel * k * kPanel + column % kPanel * 4;
  const auto at = [&](std::size_t i) -> std::int8_t& { return to[i / 4 * 4 * kPanel + i % 4]; };
  float& scale = scales.writable()[column];
  std::vector<float> targets(weights.size());
  std::vector<int> integers(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    targets[i] = weights[i] / scale;
    integers[i] = int{at(i)};
  }
  scale *= static_cast<float>(1 + Descent(std::move(targets), c).run(integers));
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    at(i) = static_cast<std::int8_t>(integers[i]);
    sum += integers[i];
  }
  sums.writable()[column] = sum;
}

bool QuantizedMatrix::is_sound() const {
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
