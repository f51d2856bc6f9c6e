#include "qa/probabilities.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace lambert::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(ProbabilitiesTest, ExpIsWithinATrillionth) {
  for (int i = -70700; i <= 70900; ++i) {
    const double x = i / 100.0;
    ASSERT_NEAR(exact_exp(x) / std::exp(x), 1.0, 1e-13) << x;
  }
  for (int i = -9; i <= 9; ++i) ASSERT_NEAR(exact_exp(i * 1e-9), 1 + i * 1e-9, 1e-15);
  EXPECT_EQ(exact_exp(0.0), 1.0);
  EXPECT_EQ(exact_exp(-0.0), 1.0);
  EXPECT_EQ(exact_exp(-709), 0.0);
  EXPECT_EQ(exact_exp(-std::numeric_limits<double>::infinity()), 0.0);
  EXPECT_EQ(exact_exp(710), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(exact_exp(std::numeric_limits<double>::quiet_NaN())));
}

// The same bits everywhere: a few of them, written down.
TEST(ProbabilitiesTest, ExpHasTheseBits) {
  EXPECT_EQ(static_cast<float>(exact_exp(-1.0)), 0x1.78b564p-2F);
  EXPECT_EQ(static_cast<float>(exact_exp(-0.1)), 0x1.cf46da0000000p-1F);
  EXPECT_EQ(static_cast<float>(exact_exp(-20.0)), 0x1.1b4866p-29F);
  EXPECT_EQ(static_cast<float>(exact_exp(-100.0)), 0x1.b000000000000p-145F);  // subnormal
}

TEST(ProbabilitiesTest, SigmoidIsSymmetricAndSaturates) {
  EXPECT_EQ(sigmoid(0), 0.5F);
  EXPECT_EQ(sigmoid(200), 1.0F);
  EXPECT_EQ(sigmoid(-2000), 0.0F);
  EXPECT_NEAR(sigmoid(1), 0.7310586F, 1e-7F);
  EXPECT_NEAR(sigmoid(-1) + sigmoid(1), 1.0F, 1e-7F);
}

TEST(ProbabilitiesTest, MaskedRowsHaveNoPart) {
  std::vector<float> p;
  const std::vector<float> logits = {1, std::nanf(""), 2, 1e30F, 3};
  masked_softmax(logits, std::vector<std::uint8_t>{1, 0, 1, 0, 1}, p);
  EXPECT_EQ(p[1], 0.0F);
  EXPECT_EQ(p[3], 0.0F);
  EXPECT_NEAR(p[0], 0.09003057F, 1e-7F);
  EXPECT_NEAR(p[2], 0.24472848F, 1e-7F);
  EXPECT_NEAR(p[4], 0.66524094F, 1e-7F);
}

// A masked row counts as -10000: far below, until the others are as low.
TEST(ProbabilitiesTest, MaskedRowsAreFiniteAsInTransformers) {
  std::vector<float> p;
  masked_softmax(std::vector<float>{-10000, 5}, std::vector<std::uint8_t>{1, 0}, p);
  EXPECT_EQ(p, (std::vector<float>{0.5F, 0.5F}));
}

TEST(ProbabilitiesTest, LargeAndNonFiniteLogits) {
  std::vector<float> p;
  const std::vector<std::uint8_t> all = {1, 1};
  masked_softmax(std::vector<float>{3e38F, -3e38F}, all, p);
  EXPECT_EQ(p, (std::vector<float>{1, 0}));
  masked_softmax(std::vector<float>{0, std::nanf("")}, all, p);
  EXPECT_TRUE(std::isnan(p[0]) && std::isnan(p[1]));
  masked_softmax(std::vector<float>{0, kInfinity}, all, p);
  EXPECT_TRUE(std::isnan(p[0]) && std::isnan(p[1]));
}

}  // namespace
}  // namespace lambert::test
