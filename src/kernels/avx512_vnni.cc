// AVX-512 with VNNI: Cascade Lake, Ice Lake, Zen 4 and later. What has no product of integers is
// that of avx512.cc, whose bytes have the same zero point.
#include <immintrin.h>

#include "kernels/math_constants.h"
#include "kernels/tables.h"

namespace lambert {

namespace {

using namespace math;

constexpr int kZeroPoint = 128;  // vpdpbusd multiplies unsigned by signed bytes

#include "kernels/avx512_inl.h"
#include "kernels/simd_inl.h"

struct Sums {
  __m512i v;
};
struct Weights {
  __m512i first, next;  // k, k + 1, k + 2, k + 3; k + 4, ...
};

constexpr int kTileRowsS8 = 12;  // 12 x 32: 24 accumulators, 2 of b, 1 of a of 32 registers
constexpr int kTilePanelsS8 = 2;

inline Sums first_sums(const int* b_sums) {
  return {
      _mm512_slli_epi32(_mm512_sub_epi32(_mm512_setzero_si512(), _mm512_loadu_si512(b_sums)), 7)};
}
inline Weights load_weights(const signed char* p) {
  return {_mm512_load_si512(p), _mm512_load_si512(p + 64)};
}
inline Sums zero_sums() {
  return {_mm512_setzero_si512()};
}
inline __m512i broadcast4(const unsigned char* p) {
  __m512i all;
  asm("vpbroadcastd %1, %0" : "=v"(all) : "m"(*reinterpret_cast<const int*>(p)));
  return all;
}
// The products as assembler: GCC 12 gives those of the intrinsics a copy of each sum and spills
// them, which costs a quarter of the speed.
struct Bytes {
  static __m512i dot(__m512i sums, __m512i w, __m512i a) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(a), "v"(w));
    return sums;
  }
  static Sums dot(Sums sums, Weights w, const unsigned char* a) {
    return {dot(dot(sums.v, w.first, broadcast4(a)), w.next, broadcast4(a + 4))};
  }
};
struct Words {
  static __m512i dot(__m512i sums, __m512i w, __m512i a) {
    asm("vpdpwssd %2, %1, %0" : "+v"(sums) : "v"(a), "v"(w));
    return sums;
  }
  static Sums dot(Sums sums, Weights w, const unsigned char* a) {
    return {dot(dot(sums.v, w.first, broadcast4(a)), w.next, broadcast4(a + 4))};
  }
};
using Scores = Bytes;
inline void store_sums(int* p, Sums s) {
  _mm512_storeu_si512(p, s.v);
}
inline Vec to_floats(Sums s) {
  return {_mm512_cvtepi32_ps(s.v)};
}

#include "kernels/simd_integer_inl.h"
#include "kernels/simd_s8_attention_inl.h"
#include "kernels/simd_s8_columns_inl.h"
#include "kernels/simd_s8_inl.h"

constexpr const Kernels& kFloats = kAvx512Kernels;
#include "kernels/borrowed_f32_inl.h"

bool supported() {
  return kAvx512Kernels.supported() && __builtin_cpu_supports("avx512vnni");
}

}  // namespace

const Kernels kAvx512VnniKernels = {"avx512_vnni", supported,      gemm_f32,  attention_f32,
                                    attention_s8,  layer_norm_f32, widen_f16, kZeroPoint,
                                    quantize_s8,   gemm_s8};

}  // namespace lambert
