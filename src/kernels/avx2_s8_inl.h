// The int8 product of simd_s8_inl.h in AVX2, which AVX-512 without VNNI takes, too.
//
// vpmaddubsw multiplies unsigned by signed bytes and adds pairs into 16 bits, saturating. Here it
// is exact, and the sum of two of its results, too: bytes of a are 0 to 255, and of the four
// weights those of one sign are at most 128 together (GemmS8), so that nothing is beyond +-32640.
// One vpmaddwd for eight values of k instead of two: 160 -> 210 GOPS at 128 tokens on Zen 3.
struct Sums {
  __m256i low, high;  // columns 0-7, 8-15
};
struct Weights {
  const __m256i*
      both;  // (2 x 4 of k, 2 x 8 columns), read where they are needed: registers are for the sums
};

constexpr int kTileRowsS8 = 4;  // 4 x 16: 8 accumulators, 2 of a, 2 in between, 1 of ones of 16
constexpr int kTilePanelsS8 = 1;

inline Sums first_sums(const int* b_sums) {
  const auto start = [](const int* p) {
    const __m256i sums = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return _mm256_slli_epi32(_mm256_sub_epi32(_mm256_setzero_si256(), sums), 7);
  };
  return {start(b_sums), start(b_sums + 8)};
}
inline Weights load_weights(const signed char* p) {
  return {reinterpret_cast<const __m256i*>(p)};
}
inline __m256i broadcast4(const unsigned char* p) {
  return _mm256_castps_si256(_mm256_broadcast_ss(reinterpret_cast<const float*>(p)));
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
inline Sums zero_sums() {
  return {_mm256_setzero_si256(), _mm256_setzero_si256()};
}
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
inline void store_sums(int* p, Sums s) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), s.low);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), s.high);
}
