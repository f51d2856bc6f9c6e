// The activation functions against the C library in double precision.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/kernels.h"

namespace lambert {
namespace {

double reference(Activation activation, double x) {
  const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
  switch (activation) {
    case Activation::kIdentity: return x;
    case Activation::kGelu: return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case Activation::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::kQuickGelu: return x * sigmoid(1.702 * x);
    case Activation::kRelu: return x > 0 ? x : 0;
    case Activation::kSilu: return x * sigmoid(x);
    case Activation::kTanh: return std::tanh(x);
  }
  return 0;
}

// Activation of one number through the scalar table: a 1 x 1 product with 1.
float activated(Activation activation, float x) {
  alignas(64) float b[kPanel] = {1};
  alignas(64) float bias[kPanel] = {}, c[kPanel];
  GemmF32 call{.a = &x,
               .a_stride = 1,
               .rows = 1,
               .k = 1,
               .b = b,
               .panels = 1,
               .bias = bias,
               .activation = activation,
               .c = c,
               .c_stride = kPanel};
  find_kernels("scalar")->gemm_f32(call);
  return c[0];
}

TEST(Activation, IsWithinTwoUnitsInTheLastPlaceOfOneOfTheExactFunction) {
  for (int i = 0; i < 7; ++i) {
    const auto activation = static_cast<Activation>(i);
    for (int step = -400000; step <= 400000; step += 7) {
      const float x = static_cast<float>(step) * 5e-5F;  // -20 to 20
      const double expected = reference(activation, x);
      const double tolerance = 2.4e-7 * std::max(1.0, std::fabs(expected));
      ASSERT_NEAR(activated(activation, x), expected, tolerance) << "function " << i << " of " << x;
    }
  }
}

TEST(Activation, OfZeroIsZeroSoThatFilledUpColumnsStayZero) {
  for (int i = 0; i < 7; ++i) EXPECT_EQ(activated(static_cast<Activation>(i), 0.0F), 0.0F) << i;
}

TEST(Activation, OfHugeNumbersIsFinite) {
  for (const float x : {-3e38F, -1e20F, -100.0F, 100.0F, 1e18F}) {
    EXPECT_TRUE(std::isfinite(activated(Activation::kGelu, x))) << x;
    EXPECT_TRUE(std::isfinite(activated(Activation::kSilu, x))) << x;
    EXPECT_TRUE(std::isfinite(activated(Activation::kQuickGelu, x))) << x;
  }
}

}  // namespace
}  // namespace lambert
