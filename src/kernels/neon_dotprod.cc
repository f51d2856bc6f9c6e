// NEON with products of bytes (FEAT_DotProd): Cortex-A55 and A76, Neoverse N1 and later. What has
// no product of integers is that of neon.cc.
#include <arm_neon.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>

#include "kernels/math_constants.h"
#include "kernels/tables.h"

namespace lambert {

namespace {

using namespace math;

#include "kernels/neon_inl.h"
#include "kernels/simd_inl.h"

constexpr int kTileRowsS8 = 4;  // 4 x 16: 16 accumulators, 8 of b, 4 of a of 32 registers
constexpr int kTilePanelsS8 = 1;

struct Bytes {
  static int32x4_t dot(int32x4_t sums, const signed char* w, int8x8_t a) {
    return vdotq_lane_s32(vdotq_lane_s32(sums, vld1q_s8(w), a, 0), vld1q_s8(w + 64), a, 1);
  }
  static Sums dot(Sums sums, Weights w, const unsigned char* a) {
    const int8x8_t eight = vreinterpret_s8_u8(vld1_u8(a));
    return quarter_sums([&](int i) { return dot(sums.q[i], w.both + 16 * i, eight); });
  }
};
using Scores = Bytes;

#include "kernels/simd_integer_inl.h"
#include "kernels/simd_s8_attention_inl.h"
#include "kernels/simd_s8_columns_inl.h"
#include "kernels/simd_s8_inl.h"

constexpr const Kernels& kFloats = kNeonKernels;
#include "kernels/borrowed_f32_inl.h"

bool supported() {
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
}

}  // namespace

const Kernels kNeonDotprodKernels = {"neon_dotprod", supported,      gemm_f32,  attention_f32,
                                     attention_s8,   layer_norm_f32, widen_f16, kZeroPoint,
                                     quantize_s8,    gemm_s8};

}  // namespace lambert
