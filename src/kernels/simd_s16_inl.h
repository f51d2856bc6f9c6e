// Attention in integers of 16 bits, included after simd_integer_inl.h.

// How numbers become integers: x * inverse; x ~ integer * scale.
struct Steps {
  float inverse, scale;
};

// Of numbers whose greatest magnitude has these bits.
Steps steps_of(unsigned bits, float limit) {
  if (bits >= kInfinityBits) return {0.0F, __builtin_bit_cast(float, kNanBits)};
  const auto magnitude = __builtin_bit_cast(float, bits);
  if (magnitude < kLeastMagnitude) return {0.0F, 0.0F};
  return {limit / magnitude, magnitude / limit};
}

// Of each column of k or v: inverses and scales (width).
void column_steps(const Attention& t, const float* from, float limit, float* inverses,
                  float* scales) {
  for (Size d = 0; d < t.width; d += 16) {
    Vec magnitude = zero();
    for (Size j = 0; j < t.kv_rows; ++j) {
      prefetch(from + (j + kAhead) * t.stride + d, 16);
      magnitude = max_bits(magnitude, abs(load(from + j * t.stride + d)));
    }
    float most[16];
    store(most, magnitude);
    for (Size i = 0; i < 16; ++i) {
      const Steps steps = steps_of(__builtin_bit_cast(unsigned, most[i]), limit);
      inverses[d + i] = steps.inverse;
      scales[d + i] = steps.scale;
    }
  }
}

// Keys as panels of the transpose, (keys / 16, width / 2, 16, 2), filled up with zeros.
void pack_keys_s16(const Attention& t, const float* inverses, short* row, short* keys) {
  const Size padded = round_up_16(t.kv_rows);
  for (Size j = 0; j < padded; ++j) {
    const float* k = t.k + j * t.stride;
    for (Size d = 0; d < t.width; d += 16) {
      store_s16(row + d, j < t.kv_rows ? mul(load(k + d), load(inverses + d)) : zero());
    }
    short* column = keys + j / 16 * t.width * 16 + j % 16 * 2;
    for (Size d = 0; d < t.width; d += 2) __builtin_memcpy(column + d * 16, row + d, 4);
  }
}

// Values as (width / 16, keys / 2, 16, 2), filled up with zeros to a multiple of four keys.
void pack_values_s16(const Attention& t, const float* inverses, short* values) {
  const Size padded = (t.kv_rows + 3) / 4 * 4;
  for (Size d = 0; d < t.width; d += 16) {
    const Vec inverse = load(inverses + d);
    short* panel = values + d * padded;
    for (Size j = 0; j < padded; j += 2) {
      const float* v = t.v + j * t.stride + d;
      store_pairs(panel + j * 16, j < t.kv_rows ? mul(load(v), inverse) : zero(),
                  j + 1 < t.kv_rows ? mul(load(v + t.stride), inverse) : zero());
    }
  }
}

// A product of 16-bit integers: c = a * b, as floats.
template <int Panels>
struct ProductBlockS16 {
  const short* a;
  Size a_stride;
  const short* b;  // (panels, k / 2, 16, 2)
  Size k;          // a multiple of 4
  float* c;
  Size c_stride;

  template <int Rows>
  [[gnu::noinline]] void run(Size row) const {
    IntegerTile<Words, Rows, Panels> tile;
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
      for (int p = 0; p < Panels; ++p) tile.sums[r][p] = zero_sums();
    }
    tile.multiply(reinterpret_cast<const unsigned char*>(a + row * a_stride), 2 * a_stride,
                  reinterpret_cast<const signed char*>(b), 32 * k, 2 * k);
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
      for (int p = 0; p < Panels; ++p) {
        store(c + (row + static_cast<Size>(r)) * c_stride + p * 16, to_floats(tile.sums[r][p]));
      }
    }
  }
};

void multiply_s16(const short* a, Size a_stride, Size rows, Size k, const short* b, Size panels,
                  float* c, Size c_stride) {
  Size panel = 0;
  for (; panel + kTilePanelsS8 <= panels; panel += kTilePanelsS8) {
    for_row_blocks<kTileRowsS8>(
        rows, ProductBlockS16<kTilePanelsS8>{a, a_stride, b + panel * k * 16, k, c + panel * 16,
                                             c_stride});
  }
  for (; panel < panels; ++panel) {
    for_row_blocks<kTileRowsS8>(
        rows, ProductBlockS16<1>{a, a_stride, b + panel * k * 16, k, c + panel * 16, c_stride});
  }
}

Vec exp2_f32(Vec x) {  // x <= 0
  x = max(x, set1(kExp2Min));
  const Vec shifted = add(x, set1(kRoundMagic));
  const Vec f = sub(x, sub(shifted, set1(kRoundMagic)));
  Vec p = fma(set1(kExp2C4), f, set1(kExp2C3));
  p = fma(p, f, set1(kExp2C2));
  p = fma(p, f, set1(kExp2C1));
  p = fma(p, f, set1(1.0F));
  return scale_by_power(p, shifted);
}

// scores (count) -> 32767 * softmax(scores * scale) as integers in the same place, with zeros up to
// a multiple of 16.
void softmax_s16(float* scores, Size count, float scale) {
  const Size whole = count / 16 * 16, tail = count - whole;
  Vec top = set1(scores[0]);
  for (Size j = 0; j < whole; j += 16) top = max(load(scores + j), top);
  for (Size j = whole; j < count; ++j) top = max(set1(scores[j]), top);
  const Vec shift = set1(highest(top)), factor = set1(scale * kLog2E);
  Vec total = zero();
  for (Size j = 0; j < whole; j += 16) {
    const Vec e = exp2_f32(mul(sub(load(scores + j), shift), factor));
    store(scores + j, e);
    total = add(total, e);
  }
  if (tail > 0) {
    const Vec e = keep_first(exp2_f32(mul(sub(load(scores + whole), shift), factor)), tail);
    store(scores + whole, e);
    total = add(total, e);
  }
  const Vec one = set1(kProbabilityOne / sum(total));
  auto* to = reinterpret_cast<short*>(scores);
  for (Size j = 0; j < count; j += 16) store_s16(to + j, mul(load(scores + j), one));
}

// Returns the scale of to (width); `scaled` (width) is for its use.
float round_query(const Attention& t, const float* q, const float* key_scales, float limit,
                  float* scaled, short* to) {
  Vec magnitude = zero();
  for (Size d = 0; d < t.width; d += 16) {
    const Vec x = mul(mul(set1(t.scale), load(q + d)), load(key_scales + d));
    magnitude = max_bits(magnitude, abs(x));
    store(scaled + d, x);
  }
  const Steps steps = steps_of(top_bits(magnitude), limit);
  for (Size d = 0; d < t.width; d += 16) {
    store_s16(to + d, steps.inverse > 0 ? mul(load(scaled + d), set1(steps.inverse)) : zero());
  }
  return steps.scale;
}

void attention_s16(const Attention& t) {
  const Size padded = round_up_16(t.kv_rows), fours = (t.kv_rows + 3) / 4 * 4;
  const auto limit =
      static_cast<float>(static_cast<int>(kScoreLimit / sqrt1(static_cast<float>(t.width))));
  float* scores = t.scratch;  // (kAttentionRows, padded)
  auto* keys = reinterpret_cast<short*>(scores + kAttentionRows * padded);
  short* values = keys + padded * t.width;
  short* query = values + padded * t.width;  // (kAttentionRows, width)
  auto* key_scales = reinterpret_cast<float*>(query + kAttentionRows * t.width);
  float* value_scales = key_scales + t.width;
  float* inverses = value_scales + t.width;
  column_steps(t, t.k, limit, inverses, key_scales);
  pack_keys_s16(t, inverses, query, keys);
  column_steps(t, t.v, kValueLimit, inverses, value_scales);
  pack_values_s16(t, inverses, values);
  for (Size d = 0; d < t.width; d += 16) {
    store(value_scales + d, mul(load(value_scales + d), set1(1.0F / kProbabilityOne)));
  }
  for (Size first = 0; first < t.q_rows; first += kAttentionRows) {
    const Size rows = t.q_rows - first < kAttentionRows ? t.q_rows - first : kAttentionRows;
    float query_scales[kAttentionRows];
    for (Size i = 0; i < rows; ++i) {
      const float* q = t.q + (first + i) * t.q_stride;
      prefetch(q + kAttentionRows * t.q_stride, t.width);
      query_scales[i] = round_query(t, q, key_scales, limit, inverses, query + i * t.width);
    }
    multiply_s16(query, t.width, rows, t.width, keys, padded / 16, scores, padded);
    for (Size i = 0; i < rows; ++i) softmax_s16(scores + i * padded, t.kv_rows, query_scales[i]);
    float* out = t.out + first * t.out_stride;
    multiply_s16(reinterpret_cast<const short*>(scores), 2 * padded, rows, fours, values,
                 t.width / 16, out, t.out_stride);
    for (Size i = 0; i < rows; ++i) {
      for (Size d = 0; d < t.width; d += 16) {
        float* at = out + i * t.out_stride + d;
        const bool is_nan = query_scales[i] != query_scales[i];
        store(at, is_nan ? set1(query_scales[i]) : mul(load(at), load(value_scales + d)));
      }
    }
  }
}
