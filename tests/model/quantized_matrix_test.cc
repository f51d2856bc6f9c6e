#include "model/quantized_matrix.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <vector>

#include "kernels/kernels.h"

namespace lambert {
namespace {

int value(const QuantizedMatrix& matrix, std::size_t column, std::size_t k) {
  return matrix
      .values[(column / kPanel * matrix.k + k / 4 * 4) * kPanel + column % kPanel * 4 + k % 4];
}

std::vector<float> random_column(std::size_t size, std::mt19937& random) {
  std::normal_distribution<float> normal(0, 0.05F);
  std::vector<float> column(size);
  for (float& weight : column) weight = normal(random);
  if (random() % 4 == 0) column[random() % size] *= 20;
  return column;
}

TEST(QuantizedMatrix, ValuesAreTheWeightsToHalfAStep) {
  std::mt19937 random(1);
  for (const std::size_t inputs : {1U, 2U, 63U, 64U, 65U, 384U}) {
    QuantizedMatrix matrix(inputs, 2);
    EXPECT_EQ(matrix.k % kDepthS8, 0U);
    for (std::size_t j = 0; j < 2 * kPanel; ++j) {
      const auto column = random_column(inputs, random);
      matrix.set_column(j, column);
      for (std::size_t k = 0; k < inputs; ++k) {
        const auto back = static_cast<float>(value(matrix, j, k)) * matrix.scales[j];
        EXPECT_NEAR(back, column[k], matrix.scales[j] * 0.5001F);
      }
      for (std::size_t k = inputs; k < matrix.k; ++k) EXPECT_EQ(value(matrix, j, k), 0);
    }
  }
}

TEST(QuantizedMatrix, GroupsNeverExceedWhatSixteenBitsHold) {
  std::mt19937 random(2);
  int largest = 0, largest_magnitudes = 0;
  for (int round = 0; round < 2000; ++round) {
    const std::size_t inputs = 1 + random() % 300;
    QuantizedMatrix matrix(inputs, 1);
    matrix.set_column(3, random_column(inputs, random));
    int sum = 0;
    for (std::size_t k = 0; k < matrix.k; k += k % 8 == 2 ? 6 : 2) {
      int positive = 0, negative = 0;
      for (const std::size_t i : {k, k + 1, k + 4, k + 5}) {
        (value(matrix, 3, i) > 0 ? positive : negative) += std::abs(value(matrix, 3, i));
        sum += value(matrix, 3, i);
      }
      largest = std::max({largest, positive, negative});
      largest_magnitudes = std::max(largest_magnitudes, positive + negative);
    }
    EXPECT_EQ(matrix.sums[3], sum);
  }
  EXPECT_LE(largest, 128);
  EXPECT_GE(largest, 126);             // and the range is used
  EXPECT_GE(largest_magnitudes, 200);  // by both signs
}

// Covariance of `rows` random rows with a few directions that matter most.
std::vector<float> random_covariance(std::size_t size, std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> covariance(size * size);
  for (int row = 0; row < 40; ++row) {
    std::vector<float> x(size);
    const float shared = 3 * normal(random);
    for (float& value : x) value = normal(random) + shared;
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t j = 0; j < size; ++j) covariance[i * size + j] += x[i] * x[j];
    }
  }
  return covariance;
}

TEST(QuantizedMatrix, RefinedColumnsErrLessWithinTheLimits) {
  std::mt19937 random(3);
  for (const std::size_t inputs : {1U, 7U, 64U, 100U}) {
    const std::vector<float> covariance = random_covariance(inputs, random);
    double before = 0, after = 0;
    for (int round = 0; round < 20; ++round) {
      QuantizedMatrix matrix(inputs, 1);
      const auto column = random_column(inputs, random);
      const auto error = [&] {  // e^T C e
        double sum = 0;
        for (std::size_t i = 0; i < inputs; ++i) {
          for (std::size_t j = 0; j < inputs; ++j) {
            const double a = column[i] - matrix.scales[5] * static_cast<float>(value(matrix, 5, i));
            const double b = column[j] - matrix.scales[5] * static_cast<float>(value(matrix, 5, j));
            sum += a * b * double{covariance[i * inputs + j]};
          }
        }
        return sum;
      };
      matrix.set_column(5, column);
      const double plain = error();
      matrix.refine_column(5, column, InputCovariance(inputs, covariance));
      EXPECT_LE(error(), plain * 1.001 + 1e-9) << inputs;
      before += plain;
      after += error();
      EXPECT_TRUE(matrix.is_sound()) << inputs;
    }
    if (inputs >= 64) {
      EXPECT_LT(after, 0.8 * before) << inputs;
    }
  }
}

TEST(InputCovariance, CarriesErrorsAsAUnitTriangleWouldUndoThem) {
  std::mt19937 random(4);
  constexpr std::size_t kInputs = 20;
  const std::vector<float> values = random_covariance(kInputs, random);
  const InputCovariance covariance(kInputs, values);
  double damping = 0;
  for (std::size_t j = 0; j < kInputs; ++j)
    damping += 0.03 * double{values[j * kInputs + j]} / kInputs;
  // With L as it is said to be, L^-1 (C + damping) L^-T is diagonal.
  std::vector<std::vector<double>> c(kInputs, std::vector<double>(kInputs));
  for (std::size_t i = 0; i < kInputs; ++i) {
    for (std::size_t j = 0; j < kInputs; ++j) c[i][j] = double{values[i * kInputs + j]};
    c[i][i] += damping;
  }
  for (std::size_t i = 0; i < kInputs; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      for (std::size_t n = 0; n < kInputs; ++n)
        c[i][n] -= double{covariance.carried(i)[j]} * c[j][n];
    }
  }
  for (std::size_t i = 0; i < kInputs; ++i) {  // D L^T: an upper triangle
    EXPECT_GT(c[i][i], 0);
    for (std::size_t j = 0; j < i; ++j) EXPECT_NEAR(c[i][j], 0, 1e-4 * double{values[0]});
  }
}

TEST(InputCovariance, OfNothingCarriesNothing) {
  const InputCovariance covariance(3, std::vector<float>(9, 0.0F));
  EXPECT_EQ(covariance.carried(2)[0], 0.0F);
}

TEST(QuantizedMatrix, ZerosAndTinyWeightsGiveZeros) {
  QuantizedMatrix matrix(8, 1);
  matrix.set_column(0, std::vector<float>(8, 0.0F));
  matrix.set_column(1, std::vector<float>(8, 1e-38F));
  for (std::size_t k = 0; k < 8; ++k) {
    EXPECT_EQ(value(matrix, 0, k), 0);
    EXPECT_EQ(value(matrix, 1, k), 0);
  }
  EXPECT_EQ(matrix.scales[0], 0.0F);
}

TEST(QuantizedMatrix, HugeWeightsStayFinite) {
  QuantizedMatrix matrix(2, 1);
  matrix.set_column(0, std::vector<float>{3e38F, -3e38F});
  matrix.set_column(1, std::vector<float>{3e38F, 3e38F});
  EXPECT_TRUE(std::isfinite(matrix.scales[0]));
  EXPECT_TRUE(std::isfinite(matrix.scales[1]));
  EXPECT_NEAR(value(matrix, 0, 0), 126, 1);  // alone of its sign
  EXPECT_EQ(value(matrix, 0, 1), -value(matrix, 0, 0));
  EXPECT_NEAR(value(matrix, 1, 0), 63, 1);
  EXPECT_EQ(value(matrix, 1, 1), value(matrix, 1, 0));
}

}  // namespace
}  // namespace lambert
