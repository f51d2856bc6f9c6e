// Attention in integers, included after simd_integer_inl.h.

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

// The products q k^T: of bytes or of words.
template <typename Product>
struct ScoreOperand;

template <>
struct ScoreOperand<Words> {
  static constexpr Size kBytes = 2;  // of an element
  static void store(unsigned char* p, Vec v) { store_s16(reinterpret_cast<short*>(p), v); }
  static int key_unit(int unit) { return unit; }
};

template <>
struct ScoreOperand<Bytes> {
  static constexpr Size kBytes = 1;
  static void store(unsigned char* p, Vec v) { store_s8(p, v); }
  // Four of a key, without the zero point that store_s8 adds.
  static int key_unit(int unit) { return kZeroPoint == 0 ? unit : unit ^ kSignBits; }
  static constexpr int kSignBits = static_cast<int>(0x80808080U);
};

constexpr Size kScoreBytes = ScoreOperand<Scores>::kBytes;
constexpr bool kKeySums = kScoreBytes == 1 && kZeroPoint != 0;  // else first_sums needs none

// The sum of each of the 16 keys of a panel.
void sum_keys(const unsigned char* panel, Size row_bytes, int* sums) {
  constexpr unsigned char kOnes[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  const auto* keys = reinterpret_cast<const signed char*>(panel);
  Sums all = zero_sums();
  for (Size i = 0; i < row_bytes; i += 8) all = Bytes::dot(all, load_weights(keys + 16 * i), kOnes);
  store_sums(sums, all);
}

// Keys as panels of the transpose, (keys / 16, width * kScoreBytes / 4, 16, 4 bytes), filled up
// with zeros, and the sum of each where it is needed.
void pack_keys(const Attention& t, const float* inverses, unsigned char* row, unsigned char* keys,
               int* sums) {
  const Size padded = round_up_16(t.kv_rows), row_bytes = t.width * kScoreBytes;
  for (Size j = 0; j < padded; ++j) {
    const float* k = t.k + j * t.stride;
    for (Size d = 0; d < t.width; d += 16) {
      const Vec x = j < t.kv_rows ? mul(load(k + d), load(inverses + d)) : zero();
      ScoreOperand<Scores>::store(row + d * kScoreBytes, x);
    }
    unsigned char* column = keys + j / 16 * row_bytes * 16 + j % 16 * 4;
    for (Size i = 0; i < row_bytes; i += 4) {
      int unit;
      __builtin_memcpy(&unit, row + i, 4);
      unit = ScoreOperand<Scores>::key_unit(unit);
      __builtin_memcpy(column + i * 16, &unit, 4);
    }
  }
  for (Size j = 0; kKeySums && j < padded; j += 16) {
    sum_keys(keys + j * row_bytes, row_bytes, sums + j);
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

// A product of integers as floats: c = a * b, times a factor of its row and one of its column if
// there are such.
struct IntegerProduct {
  const unsigned char* a;
  Size a_stride, rows;     // a_stride: in bytes
  Size row_bytes;          // of a, a multiple of 8
  const unsigned char* b;  // (panels, row_bytes / 4, 16, 4 bytes)
  Size panels;
  const int* b_sums;            // (panels * 16) or null
  const float* column_factors;  // (panels * 16) or null
  const float* row_factors;     // (rows)
  float* c;
  Size c_stride;
};

template <typename Product, int Panels>
struct IntegerBlock {
  const IntegerProduct& m;
  Size panel;

  template <int Rows>
  [[gnu::noinline]] void run(Size row) const {
    const Size column = panel * 16;
    IntegerTile<Product, Rows, Panels> tile;
#pragma GCC unroll 4
    for (int p = 0; p < Panels; ++p) {
      const Sums first = m.b_sums != nullptr ? first_sums(m.b_sums + column + p * 16) : zero_sums();
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) tile.sums[r][p] = first;
    }
    const auto* b = reinterpret_cast<const signed char*>(m.b + column * m.row_bytes);
    tile.multiply(m.a + row * m.a_stride, m.a_stride, b, 16 * m.row_bytes, m.row_bytes, b, 0);
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

template <typename Product>
void multiply_integers(const IntegerProduct& m) {
  Size panel = 0;
  for (; panel + kTilePanelsS8 <= m.panels; panel += kTilePanelsS8) {
    for_row_blocks<kTileRowsS8>(m.rows, IntegerBlock<Product, kTilePanelsS8>{m, panel});
  }
  for (; panel < m.panels; ++panel) {
    for_row_blocks<kTileRowsS8>(m.rows, IntegerBlock<Product, 1>{m, panel});
  }
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
  Vec top = set1(scores[0]), other = top;  // a maximum waits for the one before
  Size next = 0;
  for (; next + 32 <= whole; next += 32) {
    top = max(load(scores + next), top);
    other = max(load(scores + next + 16), other);
  }
  top = max(top, other);
  if (next < whole) top = max(load(scores + next), top);
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
float round_query(const Attention& t, const float* q, const float* key_scales, float* scaled,
                  unsigned char* to) {
  Vec magnitude = zero();
  for (Size d = 0; d < t.width; d += 16) {
    const Vec x = mul(mul(set1(t.scale), load(q + d)), load(key_scales + d));
    magnitude = max_bits(magnitude, abs(x));
    store(scaled + d, x);
  }
  const Steps steps = steps_of(top_bits(magnitude), kScoreLimit);
  for (Size d = 0; d < t.width; d += 16) {
    const Vec x = steps.inverse > 0 ? mul(load(scaled + d), set1(steps.inverse)) : zero();
    ScoreOperand<Scores>::store(to + d * kScoreBytes, x);
  }
  return steps.scale;
}

// How attention_s8 uses its scratch.
struct AttentionScratch {
  float* scores;         // (kAttentionRows, padded keys), then numerators in the same place
  unsigned char* keys;   // (padded keys, width) of kScoreBytes
  short* values;         // (keys up to a multiple of 4, width)
  unsigned char* query;  // (kAttentionRows, width) of kScoreBytes
  int* key_sums;         // (padded keys)
  float* key_scales;     // (width)
  float* value_scales;   // (width)
  float* row;            // (width)

  explicit AttentionScratch(const Attention& t) {
    const Size padded = round_up_16(t.kv_rows);
    scores = t.scratch;
    float* next = scores + kAttentionRows * padded;
    const auto take = [&next](Size floats) {
      float* const taken = next;
      next += floats;
      return taken;
    };
    keys = reinterpret_cast<unsigned char*>(take(padded * t.width / 2));
    values = reinterpret_cast<short*>(take(padded * t.width / 2));
    query = reinterpret_cast<unsigned char*>(take(kAttentionRows * t.width / 2));
    key_sums = reinterpret_cast<int*>(take(padded));
    key_scales = take(t.width);
    value_scales = take(t.width);
    row = take(t.width);
  }
};

void attention_s8(const Attention& t) {
  const AttentionScratch s(t);
  const Size padded = round_up_16(t.kv_rows), query_bytes = t.width * kScoreBytes;
  const auto all_values =
      static_cast<float>(static_cast<int>(kSumLimit / static_cast<float>(t.kv_rows)));
  column_steps(t, t.k, kScoreLimit, s.row, s.key_scales);
  pack_keys(t, s.row, s.query, s.keys, s.key_sums);
  column_steps(t, t.v, all_values < kValueLimit ? all_values : kValueLimit, s.row, s.value_scales);
  pack_values_s16(t, s.row, s.values);
  for (Size first = 0; first < t.q_rows; first += kAttentionRows) {
    const Size rows = t.q_rows - first < kAttentionRows ? t.q_rows - first : kAttentionRows;
    float query_scales[kAttentionRows], row_factors[kAttentionRows];
    for (Size i = 0; i < rows; ++i) {
      const float* q = t.q + (first + i) * t.q_stride;
      query_scales[i] = round_query(t, q, s.key_scales, s.row, s.query + i * query_bytes);
    }
    multiply_integers<Scores>({s.query, query_bytes, rows, query_bytes, s.keys, padded / 16,
                               kKeySums ? s.key_sums : nullptr, nullptr, nullptr, s.scores,
                               padded});
    for (Size i = 0; i < rows; ++i) {
      const float inverse =
          softmax_numerators_s16(s.scores + i * padded, t.kv_rows, query_scales[i]);
      row_factors[i] = query_scales[i] == query_scales[i] ? inverse : query_scales[i];
    }
    multiply_integers<Words>(
        {reinterpret_cast<const unsigned char*>(s.scores), 4 * padded, rows,
         (t.kv_rows + 3) / 4 * 8, reinterpret_cast<const unsigned char*>(s.values), t.width / 16,
         nullptr, s.value_scales, row_factors, t.q + first * t.q_stride, t.q_stride});
  }
}
