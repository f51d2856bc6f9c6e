// Sums of integers in AVX2, for simd_integer_inl.h.
struct Sums {
  __m256i low, high;  // columns 0-7, 8-15
};

inline Sums first_sums(const int* b_sums) {
  const auto start = [](const int* p) {
    const __m256i sums = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return _mm256_slli_epi32(_mm256_sub_epi32(_mm256_setzero_si256(), sums), 7);
  };
  return {start(b_sums), start(b_sums + 8)};
}
inline Sums zero_sums() {
  return {_mm256_setzero_si256(), _mm256_setzero_si256()};
}
inline __m256i broadcast4(const unsigned char* p) {
  return _mm256_castps_si256(_mm256_broadcast_ss(reinterpret_cast<const float*>(p)));
}
inline void store_sums(int* p, Sums s) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), s.low);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), s.high);
}
