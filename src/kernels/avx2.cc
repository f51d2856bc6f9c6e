// AVX2 + FMA + F16C: Haswell, Zen and later; what AWS Lambda promises on x86-64.
#include <cpuid.h>
#include <immintrin.h>

#include "kernels/math_constants.h"
#include "kernels/tables.h"

namespace lambert {

namespace {

using namespace math;

constexpr int kZeroPoint = 128;

#include "kernels/avx2_inl.h"
#include "kernels/avx2_s8_inl.h"
#include "kernels/simd_inl.h"

inline Vec to_floats(Sums s) {
  return {_mm256_cvtepi32_ps(s.low), _mm256_cvtepi32_ps(s.high)};
}

#include "kernels/simd_f32_inl.h"
#include "kernels/simd_integer_inl.h"
#include "kernels/simd_s8_attention_inl.h"
#include "kernels/simd_s8_columns_inl.h"
#include "kernels/simd_s8_inl.h"

// The compiler's check covers XCR0; clang 14 does not know the name of F16C, so CPUID is asked.
bool supported() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

}  // namespace

const Kernels kAvx2Kernels = {"avx2",         supported, gemm_f32,   attention_f32, attention_s8,
                              layer_norm_f32, widen_f16, kZeroPoint, quantize_s8,   gemm_s8};

}  // namespace lambert
