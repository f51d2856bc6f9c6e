// AVX-512 F, BW, DQ and VL: Skylake servers, Zen 4 and later.
#include <immintrin.h>

#include "kernels/math_constants.h"
#include "kernels/tables.h"

namespace lambert {

namespace {

using namespace math;

constexpr int kZeroPoint = 128;

#include "kernels/avx2_s8_inl.h"
#include "kernels/avx512_inl.h"
#include "kernels/simd_inl.h"

inline Vec to_floats(Sums s) {
  const __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(s.low), s.high, 1);
  return {_mm512_cvtepi32_ps(both)};
}

#include "kernels/simd_f32_inl.h"
#include "kernels/simd_integer_inl.h"
#include "kernels/simd_s8_attention_inl.h"
#include "kernels/simd_s8_columns_inl.h"
#include "kernels/simd_s8_inl.h"

bool supported() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

}  // namespace

const Kernels kAvx512Kernels = {"avx512",       supported, gemm_f32,   attention_f32, attention_s8,
                                layer_norm_f32, widen_f16, kZeroPoint, quantize_s8,   gemm_s8};

}  // namespace lambert
