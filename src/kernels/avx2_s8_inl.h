// The int8 product of simd_s8_inl.h in AVX2, which AVX-512 without VNNI takes, too.
//
// vpmaddubsw multiplies unsigned by signed bytes and adds pairs into 16 bits, saturating. Here it
// is exact, and the sum of two of its results, too: bytes of a are 0 to 255, and of the four
// weights those of one sign are at most 128 together (GemmS8), so that nothing is beyond +-32640.
// One vpmaddwd for eight values of k instead of two: 160 -> 210 GOPS at 128 tokens on Zen 3; b in
// registers: 210 -> 222.
#include "kernels/avx2_sums_inl.h"

struct Weights {
  __m256i both[4];  // (2 x 4 of k, 2 x 8 columns)
};

constexpr int kTileRowsS8 = 3;  // 3 x 16: 6 accumulators, 4 of b, 2 of a, 2 in between, 1 of ones
constexpr int kTilePanelsS8 = 1;

inline Weights load_weights(const signed char* p) {
  const auto* from = reinterpret_cast<const __m256i*>(p);
  return {{_mm256_load_si256(from), _mm256_load_si256(from + 1), _mm256_load_si256(from + 2),
           _mm256_load_si256(from + 3)}};
}
struct Bytes {
  static __m256i dot(__m256i sums, __m256i w, __m256i a, __m256i next_w, __m256i next_a) {
    const __m256i fours =
        _mm256_add_epi16(_mm256_maddubs_epi16(a, w), _mm256_maddubs_epi16(next_a, next_w));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(fours, _mm256_set1_epi16(1)));
  }
  static Sums dot(Sums sums, Weights w, const unsigned char* a) {
    const __m256i first = broadcast4(a), next = broadcast4(a + 4);
    return {dot(sums.low, w.both[0], first, w.both[2], next),
            dot(sums.high, w.both[1], first, w.both[3], next)};
  }
};
struct Words {
  static __m256i dot(__m256i sums, __m256i w, __m256i a, __m256i next_w, __m256i next_a) {
    return _mm256_add_epi32(_mm256_add_epi32(sums, _mm256_madd_epi16(a, w)),
                            _mm256_madd_epi16(next_a, next_w));
  }
  static Sums dot(Sums sums, Weights w, const unsigned char* a) {
    const __m256i first = broadcast4(a), next = broadcast4(a + 4);
    return {dot(sums.low, w.both[0], first, w.both[2], next),
            dot(sums.high, w.both[1], first, w.both[3], next)};
  }
};
using Scores = Words;  // Bytes cannot: nothing limits fours of keys
