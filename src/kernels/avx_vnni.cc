// AVX-VNNI: client CPUs from Alder Lake on, which have no AVX-512. Products of integers are its
// own; the rest is that of avx2.cc, whose bytes have the same zero point.
#include <cpuid.h>
#include <immintrin.h>

#include "kernels/math_constants.h"
#include "kernels/tables.h"

namespace lambert {

namespace {

using namespace math;

constexpr int kZeroPoint = 128;  // vpdpbusd multiplies unsigned by signed bytes

#include "kernels/avx2_inl.h"
#include "kernels/avx2_sums_inl.h"
#include "kernels/simd_inl.h"

struct Weights {
  __m256i first[2], next[2];  // k, ..., k + 3 of columns 0-7, 8-15; k + 4, ...
};

constexpr int kTileRowsS8 = 5;  // 5 x 16: 10 accumulators, 4 of b, 1 of a of 16 registers
constexpr int kTilePanelsS8 = 1;

inline Weights load_weights(const signed char* p) {
  const auto* v = reinterpret_cast<const __m256i*>(p);
  return {{_mm256_load_si256(v), _mm256_load_si256(v + 1)},
          {_mm256_load_si256(v + 2), _mm256_load_si256(v + 3)}};
}

// As assembler, as in avx512_vnni.cc.
struct DotBytes {
  static void add(__m256i& sums, __m256i w, __m256i a) {
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sums) : "x"(a), "x"(w));
  }
};
struct DotWords {
  static void add(__m256i& sums, __m256i w, __m256i a) {
    asm("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sums) : "x"(a), "x"(w));
  }
};
template <typename Dot>
struct Product {
  static Sums dot(Sums sums, const Weights& w, const unsigned char* a) {
    const __m256i first = broadcast4(a), next = broadcast4(a + 4);
    Dot::add(sums.low, w.first[0], first);
    Dot::add(sums.high, w.first[1], first);
    Dot::add(sums.low, w.next[0], next);
    Dot::add(sums.high, w.next[1], next);
    return sums;
  }
};
using Bytes = Product<DotBytes>;
using Words = Product<DotWords>;
using Scores = Bytes;
inline Vec to_floats(Sums s) {
  return {_mm256_cvtepi32_ps(s.low), _mm256_cvtepi32_ps(s.high)};
}

#include "kernels/simd_integer_inl.h"
#include "kernels/simd_s8_attention_inl.h"
#include "kernels/simd_s8_columns_inl.h"
#include "kernels/simd_s8_inl.h"

constexpr const Kernels& kFloats = kAvx2Kernels;
#include "kernels/borrowed_f32_inl.h"

bool supported() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return kAvx2Kernels.supported() && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 &&
         (a & 1U << 4U) != 0;
}

}  // namespace

const Kernels kAvxVnniKernels = {"avx_vnni",     supported, gemm_f32,   attention_f32, attention_s8,
                                 layer_norm_f32, widen_f16, kZeroPoint, quantize_s8,   gemm_s8};

}  // namespace lambert
