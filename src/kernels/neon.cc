// NEON of any ARMv8-A: Cortex-A53 and A72, so Raspberry Pi 4 and AWS's first Graviton.
#include <arm_neon.h>

#include "kernels/math_constants.h"
#include "kernels/tables.h"

namespace lambert {

namespace {

using namespace math;

#include "kernels/neon_inl.h"
#include "kernels/simd_inl.h"

constexpr int kTileRowsS8 = 4;  // 4 x 16: 16 accumulators, up to 8 of b, 2 of a, 2 in between
constexpr int kTilePanelsS8 = 1;

// Sums of four products in 16 bits are exact: bytes of a are within +-127, and of the four weights
// those of one sign are at most 128 together (GemmS8), so that nothing is beyond +-32512.
struct Bytes {
  static int32x4_t dot(int32x4_t sums, const signed char* w, int8x16_t a, int8x16_t next_a) {
    const int8x16_t first = vld1q_s8(w), next = vld1q_s8(w + 64);
    const int16x8_t low = vmlal_s8(vmull_s8(vget_low_s8(first), vget_low_s8(a)), vget_low_s8(next),
                                   vget_low_s8(next_a));
    const int16x8_t high = vmlal_high_s8(vmull_high_s8(first, a), next, next_a);
    return vpadalq_s16(sums, vpaddq_s16(low, high));
  }
  static Sums dot(Sums sums, Weights w, const unsigned char* a) {
    const int8x16_t first = broadcast4(a), next = broadcast4(a + 4);
    return quarter_sums([&](int i) { return dot(sums.q[i], w.both + 16 * i, first, next); });
  }
};
using Scores = Words;  // Bytes cannot: nothing limits fours of keys

#include "kernels/simd_f32_inl.h"
#include "kernels/simd_integer_inl.h"
#include "kernels/simd_s8_attention_inl.h"
#include "kernels/simd_s8_columns_inl.h"
#include "kernels/simd_s8_inl.h"

bool supported() {
  return true;
}

}  // namespace

const Kernels kNeonKernels = {"neon",         supported, gemm_f32,   attention_f32, attention_s8,
                              layer_norm_f32, widen_f16, kZeroPoint, quantize_s8,   gemm_s8};

}  // namespace lambert
