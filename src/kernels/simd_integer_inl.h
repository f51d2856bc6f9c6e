// Products of integers, included after simd_inl.h (see there) and these:
//   Sums                          16 int32
//   Weights                       8 values of k of 16 columns in bytes, 4 in words
//   kZeroPoint                    added to the bytes of a, modulo 256
//   first_sums(b_sums)            what the sums of 16 columns start with: -kZeroPoint * b_sums
//   zero_sums()
//   load_weights(p)               p: (2, 16, 4) int8 or (2, 16, 2) int16, 64-byte aligned
//   Bytes::dot(sums, weights, a)  sums[j] += a[0] * w[0][j] + ... + a[7] * w[7][j]
//   Words::dot(sums, weights, a)  the same of 4 int16, a too
//   to_floats(sums), integers(p)  as floats, rounded to the nearest
//   max_bits(a, b), top_bits(v)   of floats with the sign off, as integers: NaN is above all
//   store_s8(p, v)                16 floats to the nearest integers, ties to even, within
//                                 +-127, + kZeroPoint
//   store_s16(p, v)               16 floats below 2^15 to the nearest integers, ties to even
//   store_pairs(p, even, odd)     the same of two vectors, alternately: (16, 2)
//   kTileRowsS8, kTilePanelsS8    the register block
//   Scores                        Bytes, or Words where that is as fast, for q k^T
//   store_sums(p, sums)

// A block of the product kept in registers: Rows x (Panels * 16), over all of k, which is
// `row_bytes` of a and 16 times as much of a panel.
template <typename Product, int Rows, int Panels>
struct IntegerTile {
  Sums sums[Rows][Panels];

  // Each step prefetches at `soon`, which then moves on by soon_step bytes.
  [[gnu::always_inline]] void multiply(const unsigned char* a, Size a_stride, const signed char* b,
                                       Size b_stride, Size row_bytes, const signed char* soon,
                                       Size soon_step) {
    const unsigned char* a3 = a + 3 * a_stride;  // as in Tile::multiply
    const unsigned char* a6 = a + 6 * a_stride;
    const unsigned char* a9 = a + 9 * a_stride;
    const signed char* const end = b + 16 * row_bytes;
    for (; b != end; b += 128, a += 8, a3 += 8, a6 += 8, a9 += 8, soon += soon_step) {
      __builtin_prefetch(soon);
      Weights weights[Panels];
#pragma GCC unroll 4
      for (int p = 0; p < Panels; ++p)
        weights[p] = load_weights(b + static_cast<Size>(p) * b_stride);
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        const unsigned char* base = r < 3 ? a : r < 6 ? a3 : r < 9 ? a6 : a9;
        const unsigned char* eight = base + static_cast<Size>(r % 3) * a_stride;
#pragma GCC unroll 4
        for (int p = 0; p < Panels; ++p) sums[r][p] = Product::dot(sums[r][p], weights[p], eight);
      }
    }
  }
};
