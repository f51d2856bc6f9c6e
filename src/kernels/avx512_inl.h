// The vector of 16 floats of simd_inl.h in AVX-512. Included inside an anonymous namespace.

struct Vec {
  __m512 v;
};

constexpr int kTileRows = 12;  // 12 x 32: 24 accumulators, 2 of b, 1 of a of 32 registers
constexpr int kTilePanels = 2;
constexpr int kUnroll = 1;  // more is not measured; a step has twice the work of one of AVX2

inline decltype(sizeof(0)) round_up_16(decltype(sizeof(0)) n) {
  return (n + 15) / 16 * 16;
}

inline Vec load(const float* p) {
  return {_mm512_loadu_ps(p)};
}
inline void store(float* p, Vec v) {
  _mm512_storeu_ps(p, v.v);
}
inline Vec set1(float x) {
  return {_mm512_set1_ps(x)};
}
inline Vec zero() {
  return {_mm512_setzero_ps()};
}
inline Vec add(Vec a, Vec b) {
  return {_mm512_add_ps(a.v, b.v)};
}
inline Vec sub(Vec a, Vec b) {
  return {_mm512_sub_ps(a.v, b.v)};
}
inline Vec mul(Vec a, Vec b) {
  return {_mm512_mul_ps(a.v, b.v)};
}
inline Vec div(Vec a, Vec b) {
  return {_mm512_div_ps(a.v, b.v)};
}
inline Vec fma(Vec a, Vec b, Vec c) {
  return {_mm512_fmadd_ps(a.v, b.v, c.v)};
}
inline Vec max(Vec a, Vec b) {
  return {_mm512_max_ps(a.v, b.v)};
}
inline Vec min(Vec a, Vec b) {
  return {_mm512_min_ps(a.v, b.v)};
}
inline Vec abs(Vec v) {
  return {_mm512_abs_ps(v.v)};
}
inline Vec relu(Vec v) {
  return max(v, zero());
}
inline float sqrt1(float x) {
  return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x)));
}
inline Vec keep_first(Vec v, decltype(sizeof(0)) n) {
  return {_mm512_maskz_mov_ps(static_cast<__mmask16>((1U << n) - 1U), v.v)};
}
inline Vec select_negative(Vec x, Vec a, Vec b) {
  return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(x.v, _mm512_setzero_ps(), _CMP_LT_OQ), b.v, a.v)};
}
inline Vec scale_by_power(Vec p, Vec shifted) {
  const __m512i exponent = _mm512_slli_epi32(_mm512_castps_si512(shifted.v), 23);
  return {_mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p.v), exponent))};
}
inline __m256 upper(__m512 v) {
  return _mm512_extractf32x8_ps(v, 1);
}
inline float sum(Vec v) {
  const __m256 by8 = _mm256_add_ps(_mm512_castps512_ps256(v.v), upper(v.v));
  const __m128 by4 = _mm_add_ps(_mm256_castps256_ps128(by8), _mm256_extractf128_ps(by8, 1));
  const __m128 by2 = _mm_add_ps(by4, _mm_movehl_ps(by4, by4));
  return _mm_cvtss_f32(_mm_add_ss(by2, _mm_movehdup_ps(by2)));
}
inline float highest(Vec v) {
  const __m256 by8 = _mm256_max_ps(_mm512_castps512_ps256(v.v), upper(v.v));
  const __m128 by4 = _mm_max_ps(_mm256_castps256_ps128(by8), _mm256_extractf128_ps(by8, 1));
  const __m128 by2 = _mm_max_ps(by4, _mm_movehl_ps(by4, by4));
  return _mm_cvtss_f32(_mm_max_ss(by2, _mm_movehdup_ps(by2)));
}
inline Vec widen16(const unsigned char* p) {
  return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}

inline Vec integers(const int* p) {
  return {_mm512_cvtepi32_ps(_mm512_loadu_si512(p))};
}
inline Vec max_bits(Vec a, Vec b) {
  return {
      _mm512_castsi512_ps(_mm512_max_epi32(_mm512_castps_si512(a.v), _mm512_castps_si512(b.v)))};
}
inline unsigned top_bits(Vec v) {
  return static_cast<unsigned>(_mm512_reduce_max_epi32(_mm512_castps_si512(v.v)));
}
inline void store_s8(unsigned char* p, Vec v) {
  const __m128i bytes = _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(v.v));  // saturates
  const __m128i zero_point = _mm_set1_epi8(static_cast<char>(kZeroPoint));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                   _mm_add_epi8(_mm_max_epi8(bytes, _mm_set1_epi8(-127)), zero_point));
}
inline void store_s16(short* p, Vec v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(v.v)));
}
inline void store_pairs(short* p, Vec even, Vec odd) {
  const __m512i high = _mm512_slli_epi32(_mm512_cvtps_epi32(odd.v), 16);
  _mm512_storeu_si512(p, _mm512_mask_mov_epi16(_mm512_cvtps_epi32(even.v), 0xAAAAAAAAU, high));
}
