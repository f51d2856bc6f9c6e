// The int8 product of simd_s8_inl.h in AVX2, which AVX-512 without VNNI takes, too.
//
// vpmaddubsw multiplies unsigned by signed bytes and adds pairs into 16 bits, saturating. Here it
// is exact: bytes of a are at most 255 and |w[k]| + |w[k + 1]| at most 128 (GemmS8), so that no
// pair exceeds 32640.
struct Sums {
  __m256i low, high;  // columns 0-7, 8-15
};
struct Weights {
  const __m256i* both;  // read where they are needed: registers are for the sums
};

constexpr int kTileRowsS8 = 5;  // 5 x 16: 10 accumulators, a, ones; more rows and GCC spills
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
inline __m256i dot(__m256i sums, __m256i weights, __m256i a) {
  const __m256i pairs = _mm256_maddubs_epi16(a, weights);
  return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
inline Sums dot(Sums sums, Weights w, const unsigned char* a) {
  const __m256i four = _mm256_castps_si256(_mm256_broadcast_ss(reinterpret_cast<const float*>(a)));
  return {dot(sums.low, w.both[0], four), dot(sums.high, w.both[1], four)};
}
