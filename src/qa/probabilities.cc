#include "qa/probabilities.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace lambert {
namespace {

constexpr float kMaskedLogit = -10000.0F;  // as in transformers

}  // namespace

double exact_exp(double x) {
  if (std::isnan(x)) return x;
  if (x < -708.0) return 0.0;
  if (x > 709.0) return std::numeric_limits<double>::infinity();
  // x = k ln 2 + r, |r| <= ln 2 / 2; ln 2 in two parts, so that k times the first is exact.
  constexpr double kLog2E = 1.4426950408889634;
  constexpr double kLn2High = 0x1.62e42fee00000p-1, kLn2Low = 0x1.a39ef35793c76p-33;
  const double k = std::floor(x * kLog2E + 0.5);
  const double r = (x - k * kLn2High) - k * kLn2Low;
  // Taylor; the first term left out is below 0.3466^13 / 13! = 2e-16.
  double power = 1.0 / 479001600.0;
  for (const double term : {1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
                            1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1.0, 1.0}) {
    power = power * r + term;
  }
  const auto exponent = static_cast<std::uint64_t>(static_cast<std::int64_t>(k) + 1023);
  return power * std::bit_cast<double>(exponent << 52);
}

float sigmoid(float x) {
  return static_cast<float>(1.0 / (1.0 + exact_exp(-static_cast<double>(x))));
}

void masked_softmax(std::span<const float> logits, std::span<const std::uint8_t> allowed,
                    std::vector<float>& probabilities) {
  const std::size_t tokens = logits.size();
  probabilities.resize(tokens);
  float maximum = -std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < tokens; ++i) {
    probabilities[i] = allowed[i] != 0 ? logits[i] : kMaskedLogit;
    maximum = std::max(maximum, probabilities[i]);
  }
  double sum = 0;
  for (float& p : probabilities) {
    p = static_cast<float>(exact_exp(static_cast<double>(p - maximum)));
    sum += static_cast<double>(p);
  }
  const auto divisor = static_cast<float>(sum);
  for (float& p : probabilities) p /= divisor;
}

}  // namespace lambert
