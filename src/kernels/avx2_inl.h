// The vector of 16 floats of simd_inl.h in AVX2, and how it becomes integers of `kZeroPoint`.
// Included inside an anonymous namespace.

struct Vec {
  __m256 low, high;  // lanes 0-7, 8-15
};

constexpr int kTileRows = 6;  // 6 x 16: 12 accumulators, 2 of b, 1 of a of 16 registers
constexpr int kTilePanels = 1;
constexpr int kUnroll = 8;  // 3 to 14 % where another thread shares the core, nothing where none

inline decltype(sizeof(0)) round_up_16(decltype(sizeof(0)) n) {
  return (n + 15) / 16 * 16;
}

inline Vec load(const float* p) {
  return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
inline void store(float* p, Vec v) {
  _mm256_storeu_ps(p, v.low);
  _mm256_storeu_ps(p + 8, v.high);
}
inline Vec set1(float x) {
  return {_mm256_set1_ps(x), _mm256_set1_ps(x)};
}
inline Vec zero() {
  return {_mm256_setzero_ps(), _mm256_setzero_ps()};
}
inline Vec add(Vec a, Vec b) {
  return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
inline Vec sub(Vec a, Vec b) {
  return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
inline Vec mul(Vec a, Vec b) {
  return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
inline Vec div(Vec a, Vec b) {
  return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
}
inline Vec fma(Vec a, Vec b, Vec c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
inline Vec max(Vec a, Vec b) {
  return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
}
inline Vec min(Vec a, Vec b) {
  return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
}
inline Vec abs(Vec v) {
  const __m256 sign = _mm256_set1_ps(-0.0F);
  return {_mm256_andnot_ps(sign, v.low), _mm256_andnot_ps(sign, v.high)};
}
inline Vec relu(Vec v) {
  return max(v, zero());
}
inline float sqrt1(float x) {
  return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x)));
}
inline Vec keep_first(Vec v, decltype(sizeof(0)) n) {
  const __m256i count = _mm256_set1_epi32(static_cast<int>(n));
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i high = _mm256_add_epi32(lane, _mm256_set1_epi32(8));
  return {_mm256_and_ps(v.low, _mm256_castsi256_ps(_mm256_cmpgt_epi32(count, lane))),
          _mm256_and_ps(v.high, _mm256_castsi256_ps(_mm256_cmpgt_epi32(count, high)))};
}
inline Vec select_negative(Vec x, Vec a, Vec b) {
  return {_mm256_blendv_ps(b.low, a.low, _mm256_cmp_ps(x.low, _mm256_setzero_ps(), _CMP_LT_OQ)),
          _mm256_blendv_ps(b.high, a.high, _mm256_cmp_ps(x.high, _mm256_setzero_ps(), _CMP_LT_OQ))};
}
inline __m256 scale_by_power(__m256 p, __m256 shifted) {
  const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(shifted), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), exponent));
}
inline Vec scale_by_power(Vec p, Vec shifted) {
  return {scale_by_power(p.low, shifted.low), scale_by_power(p.high, shifted.high)};
}
inline float sum(Vec v) {
  const __m256 by8 = _mm256_add_ps(v.low, v.high);
  const __m128 by4 = _mm_add_ps(_mm256_castps256_ps128(by8), _mm256_extractf128_ps(by8, 1));
  const __m128 by2 = _mm_add_ps(by4, _mm_movehl_ps(by4, by4));
  return _mm_cvtss_f32(_mm_add_ss(by2, _mm_movehdup_ps(by2)));
}
inline float highest(Vec v) {
  const __m256 by8 = _mm256_max_ps(v.low, v.high);
  const __m128 by4 = _mm_max_ps(_mm256_castps256_ps128(by8), _mm256_extractf128_ps(by8, 1));
  const __m128 by2 = _mm_max_ps(by4, _mm_movehl_ps(by4, by4));
  return _mm_cvtss_f32(_mm_max_ss(by2, _mm_movehdup_ps(by2)));
}
inline Vec widen16(const unsigned char* p) {
  return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))),
          _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16)))};
}

inline Vec integers(const int* p) {
  const auto* v = reinterpret_cast<const __m256i*>(p);
  return {_mm256_cvtepi32_ps(_mm256_loadu_si256(v)), _mm256_cvtepi32_ps(_mm256_loadu_si256(v + 1))};
}
inline __m256 max_bits(__m256 a, __m256 b) {
  return _mm256_castsi256_ps(_mm256_max_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)));
}
inline Vec max_bits(Vec a, Vec b) {
  return {max_bits(a.low, b.low), max_bits(a.high, b.high)};
}
inline unsigned top_bits(Vec v) {
  const __m256i by8 = _mm256_castps_si256(max_bits(v.low, v.high));
  const __m128i by4 = _mm_max_epi32(_mm256_castsi256_si128(by8), _mm256_extracti128_si256(by8, 1));
  const __m128i by2 = _mm_max_epi32(by4, _mm_shuffle_epi32(by4, 0x4E));
  return static_cast<unsigned>(_mm_cvtsi128_si32(_mm_max_epi32(by2, _mm_shuffle_epi32(by2, 0xB1))));
}
inline void store_s8(unsigned char* p, Vec v) {
  const __m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(v.low), _mm256_cvtps_epi32(v.high));
  const __m256i ordered = _mm256_permute4x64_epi64(words, 0xD8);
  __m128i bytes =
      _mm_packs_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1));
  bytes = _mm_max_epi8(bytes, _mm_set1_epi8(-127));  // above 127 they saturate
  const __m128i zero_point = _mm_set1_epi8(static_cast<char>(kZeroPoint));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_add_epi8(bytes, zero_point));
}

inline __m256i nearest(__m256 v) {
  return _mm256_cvtps_epi32(v);
}
inline void store_s16(short* p, Vec v) {
  const __m256i words = _mm256_packs_epi32(nearest(v.low), nearest(v.high));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_permute4x64_epi64(words, 0xD8));
}
inline __m256i pairs(__m256i even, __m256i odd) {
  return _mm256_blend_epi16(even, _mm256_slli_epi32(odd, 16), 0xAA);
}
inline void store_pairs(short* p, Vec even, Vec odd) {
  auto* to = reinterpret_cast<__m256i*>(p);
  _mm256_storeu_si256(to, pairs(nearest(even.low), nearest(odd.low)));
  _mm256_storeu_si256(to + 1, pairs(nearest(even.high), nearest(odd.high)));
}
