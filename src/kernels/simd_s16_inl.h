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

// A product of 16-bit integers as floats: c = a * b, times a factor of its row and one of its
// column if there are such.
struct ProductS16 {
  const short* a;
  Size a_stride, rows;
  Size k;          // a multiple of 4
  const short* b;  // (panels, k / 2, 16, 2)
  Size panels;
  const float* column_factors;  // (panels * 16) or null
  const float* row_factors;     // (rows)
  float* c;
  Size c_stride;
};

template <int Panels>
struct ProductBlockS16 {
  const ProductS16& m;
  Size panel;

  template <int Rows>
  [[gnu::noinline]] void run(Size row) const {
    const Size column = panel * 16;
    IntegerTile<Words, Rows, Panels> tile;
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
      for (int p = 0; p < Panels; ++p) tile.sums[r][p] = zero_sums();
    }
    tile.multiply(reinterpret_cast<const unsigned char*>(m.a + row * m.a_stride), 2 * m.a_stride,
                  reinterpret_cast<const signed char*>(m.b + column * m.k), 32 * m.k, 2 * m.k,
                  reinterpret_cast<const signed char*>(m.b), 0);
    float* const c = m.c + row * m.c_stride + column;
#pragma GCC unroll 4
    for (int p = 0; p < Panels; ++p) {
      const bool scaled = m.column_factors != nullptr;
      const Vec factors = scaled ? load(m.column_factors + column + p * 16) : zero();
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        Vec x = to_floats(tile.sums[r][p]);
        if (scaled) x = mul(mul(x, factors), set1(m.row_factors[row + static_cast<Size>(r)]));
        store(c + static_cast<Size>(r) * m.c_stride + p * 16, x);
      }
    }
  }
};

void multiply_s16(const ProductS16& m) {
  Size panel = 0;
  for (; panel + kTilePanelsS8 <= m.panels; panel += kTilePanelsS8) {
    for_row_blocks<kTileRowsS8>(m.rows, ProductBlockS16<kTilePanelsS8>{m, panel});
  }
  for (; panel < m.panels; ++panel)
    for_row_blocks<kTileRowsS8>(m.rows, ProductBlockS16<1>{m, panel});
}

Vec exp2_f32(Vec x) {  // x <= 126
  x = max(x, set1(kExp2Min));
  const Vec shifted = add(x, set1(kRoundMagic));
  const Vec f = sub(x, sub(shifted, set1(kRoundMagic)));
  Vec p = fma(set1(kExp2C3), f, set1(kExp2C2));
  p = fma(p, f, set1(kExp2C1));
  p = fma(p, f, set1(1.0F));
  return scale_by_power(p, shifted);
}

// scores (count) -> the numerators of softmax(scores * scale), times 2^11, as integers in the same
// place, with zeros up to a multiple of 16. Returns 1 / their sum.
float softmax_numerators_s16(float* scores, Size count, float scale) {
  const Size whole = count / 16 * 16, tail = count - whole;
  Vec top = set1(scores[0]);
  for (Size j = 0; j < whole; j += 16) top = max(load(scores + j), top);
  for (Size j = whole; j < count; ++j) top = max(set1(scores[j]), top);
  const Vec shift = set1(highest(top)), factor = set1(scale * kLog2E);
  const auto numerators = [&](Size j) {
    return exp2_f32(fma(sub(load(scores + j), shift), factor, set1(kNumeratorBits)));
  };
  auto* to = reinterpret_cast<short*>(scores);
  Vec total = zero();
  for (Size j = 0; j < whole; j += 16) {
    const Vec e = numerators(j);
    store_s16(to + j, e);
    total = add(total, e);
  }
  if (tail > 0) {
    const Vec e = keep_first(numerators(whole), tail);
    store_s16(to + whole, e);
    total = add(total, e);
  }
  return 1.0F / sum(total);
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
  const auto whole = [](float x) { return static_cast<float>(static_cast<int>(x)); };
  const float limit = whole(kScoreLimit / sqrt1(static_cast<float>(t.width)));
  const float all_values = whole(kSumLimit / static_cast<float>(t.kv_rows));
  const float value_limit = all_values < kValueLimit ? all_values : kValueLimit;
  float* scores = t.scratch;  // (kAttentionRows, padded)
  auto* keys = reinterpret_cast<short*>(scores + kAttentionRows * padded);
  short* values = keys + padded * t.width;
  short* query = values + padded * t.width;  // (kAttentionRows, width)
  auto* key_scales = reinterpret_cast<float*>(query + kAttentionRows * t.width);
  float* value_scales = key_scales + t.width;
  float* inverses = value_scales + t.width;
  column_steps(t, t.k, limit, inverses, key_scales);
  pack_keys_s16(t, inverses, query, keys);
  column_steps(t, t.v, value_limit, inverses, value_scales);
  pack_values_s16(t, inverses, values);
  for (Size first = 0; first < t.q_rows; first += kAttentionRows) {
    const Size rows = t.q_rows - first < kAttentionRows ? t.q_rows - first : kAttentionRows;
    float query_scales[kAttentionRows], row_factors[kAttentionRows];
    for (Size i = 0; i < rows; ++i) {
      const float* q = t.q + (first + i) * t.q_stride;
      prefetch(q + kAttentionRows * t.q_stride, t.width);
      query_scales[i] = round_query(t, q, key_scales, limit, inverses, query + i * t.width);
    }
    multiply_s16(
        {query, t.width, rows, t.width, keys, padded / 16, nullptr, nullptr, scores, padded});
    for (Size i = 0; i < rows; ++i) {
      const float inverse = softmax_numerators_s16(scores + i * padded, t.kv_rows, query_scales[i]);
      row_factors[i] = query_scales[i] == query_scales[i] ? inverse : query_scales[i];
    }
    multiply_s16({reinterpret_cast<const short*>(scores), 2 * padded, rows, fours, values,
                  t.width / 16, value_scales, row_factors, t.out + first * t.out_stride,
                  t.out_stride});
  }
}
