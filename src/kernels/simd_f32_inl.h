// The kernels in floats, included after simd_inl.h (see there) and these:
//   widen16(p)               16 halves as floats
//   kTileRows, kTilePanels   the register block of the matrix product
//   kUnroll                  steps of k that its loop takes at a time

constexpr Size kStretch = 512;  // of k that is computed at a time

// A block of the product a * b kept in registers: Rows x (Panels * 16), over a stretch of k.
// `a` is read at a[row * a_stride + k], `b` at b[panel * b_stride + k * 16]. Each step of k
// prefetches at `soon`, which then moves on by soon_step floats.
template <int Rows, int Panels>
struct Tile {
  Vec sum[Rows][Panels];

  [[gnu::always_inline]] void multiply(const float* a, Size a_stride, const float* b, Size b_stride,
                                       Size k, const float* soon, Size soon_step) {
    // Four base pointers and one stride address 12 rows without running out of registers.
    const float* a3 = a + 3 * a_stride;
    const float* a6 = a + 6 * a_stride;
    const float* a9 = a + 9 * a_stride;
#pragma GCC unroll kUnroll
    for (Size i = 0; i < k; ++i, b += 16, soon += soon_step, ++a, ++a3, ++a6, ++a9) {
      __builtin_prefetch(soon, 0, 2);
      Vec panel[Panels];
#pragma GCC unroll 4
      for (int p = 0; p < Panels; ++p) panel[p] = load(b + static_cast<Size>(p) * b_stride);
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        const float* base = r < 3 ? a : r < 6 ? a3 : r < 9 ? a6 : a9;
        const Vec value = set1(base[static_cast<Size>(r % 3) * a_stride]);
#pragma GCC unroll 4
        for (int p = 0; p < Panels; ++p) sum[r][p] = fma(value, panel[p], sum[r][p]);
      }
    }
  }
};

// c = a * b (+ bias), then `finish` on rows that are still in the first-level cache.
struct Product {
  const float* a;
  Size a_stride, rows, k;
  const float* b;  // (panels, k, 16)
  Size panels;
  const float* bias;  // (panels * 16) or null
  float* c;
  Size c_stride;
  void (*finish)(const GemmF32& g, Size row, Size rows, Size column, Size columns);  // or null
  const GemmF32* g;
};

// The stretch [k, k + count) of the sums of panels [panel, panel + Panels). Between stretches the
// sums wait in c, where they lose no bit.
template <int Panels>
struct ProductBlock {
  const Product& m;
  Size panel, k, count;

  template <int Rows>
  [[gnu::noinline]] void run(Size row) const {
    const Size column = panel * 16;
    const float* b = m.b + column * m.k + k * 16;
    float* const c = m.c + row * m.c_stride + column;
    Tile<Rows, Panels> tile;
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
      for (int p = 0; p < Panels; ++p) {
        tile.sum[r][p] = k == 0 ? zero() : load(c + static_cast<Size>(r) * m.c_stride + p * 16);
      }
    }
    // Every block of rows brings in its share of the panels that come next: at 32 rows 11 % faster
    // than when the first blocks bring in all, because memory keeps up.
    const Size blocks = (m.rows + kTileRows - 1) / kTileRows;
    const Size step = (Panels * 16 + blocks - 1) / blocks;
    const float* soon = b + Panels * m.k * 16 + row * blocks / m.rows * count * step;
    tile.multiply(m.a + row * m.a_stride + k, m.a_stride, b, m.k * 16, count, soon, step);
    const bool last = k + count == m.k;
    if (last && m.bias != nullptr) {
#pragma GCC unroll 4
      for (int p = 0; p < Panels; ++p) {
        const Vec bias = load(m.bias + column + p * 16);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) tile.sum[r][p] = add(tile.sum[r][p], bias);
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
      for (int p = 0; p < Panels; ++p) {
        store(c + static_cast<Size>(r) * m.c_stride + p * 16, tile.sum[r][p]);
      }
    }
    if (last && m.finish != nullptr) m.finish(*m.g, row, Rows, column, Panels * 16);
  }
};

// Stretches of k outermost, so that a stretch of all rows of a stays in the second-level cache
// while the panels of b, each stretch read once, pass by.
void multiply(const Product& m) {
  const Size stretches = (m.k + kStretch - 1) / kStretch;
  for (Size i = 0; i < stretches; ++i) {
    const Size k = m.k * i / stretches, count = m.k * (i + 1) / stretches - k;
    Size panel = 0;
    for (; panel + kTilePanels <= m.panels; panel += kTilePanels) {
      for_row_blocks<kTileRows>(m.rows, ProductBlock<kTilePanels>{m, panel, k, count});
    }
    for (; panel < m.panels; ++panel) {
      for_row_blocks<kTileRows>(m.rows, ProductBlock<1>{m, panel, k, count});
    }
  }
}

template <typename Act>
void gemm(const GemmF32& g) {
  multiply({g.a, g.a_stride, g.rows, g.k, g.b, g.panels, g.bias, g.c, g.c_stride,
            finish<Act, GemmF32>, &g});
}

void gemm_f32(const GemmF32& g) {
  switch (g.activation) {
    case Activation::kIdentity:
      return multiply(
          {g.a, g.a_stride, g.rows, g.k, g.b, g.panels, g.bias, g.c, g.c_stride, nullptr, nullptr});
    case Activation::kGelu: return gemm<Gelu>(g);
    case Activation::kGeluTanh: return gemm<GeluTanh>(g);
    case Activation::kQuickGelu: return gemm<QuickGelu>(g);
    case Activation::kRelu: return gemm<Relu>(g);
    case Activation::kSilu: return gemm<Silu>(g);
    case Activation::kTanh: return gemm<Tanh>(g);
  }
}

// Keys as panels of the transpose: (keys / 16, width, 16); values as (width / 16, keys, 16).
void pack_keys_and_values(const Attention& t, float* keys, float* values) {
  const Size padded = round_up_16(t.kv_rows);
  for (Size j = 0; j < padded; ++j) {
    float* column = keys + j / 16 * t.width * 16 + j % 16;
    const float* k = t.k + j * t.stride;
    for (Size d = 0; d < t.width; ++d) column[d * 16] = j < t.kv_rows ? k[d] : 0.0F;
  }
  for (Size d = 0; d < t.width; d += 16) {
    const float* v = t.v + d;
    float* panel = values + d * t.kv_rows;
    for (Size j = 0; j < t.kv_rows; ++j) {
      store(panel + j * 16, load(v + j * t.stride));
    }
  }
}

// scores (count) -> exp(scores - highest); returns 1 / their sum.
float softmax_numerators(float* scores, Size count) {
  const Size whole = count / 16 * 16;
  Vec top = set1(scores[0]);
  for (Size j = 0; j < whole; j += 16) top = max(load(scores + j), top);
  for (Size j = whole; j < count; ++j) top = max(set1(scores[j]), top);
  const Vec shift = set1(highest(top));
  Vec total = zero();
  for (Size j = 0; j < whole; j += 16) {
    const Vec e = exp_f32(sub(load(scores + j), shift));
    store(scores + j, e);
    total = add(total, e);
  }
  if (whole < count) {
    const Vec e = keep_first(exp_f32(sub(load(scores + whole), shift)), count - whole);
    store(scores + whole, e);
    total = add(total, e);
  }
  return 1.0F / sum(total);
}

void attention_f32(const Attention& t) {
  const Size padded = round_up_16(t.kv_rows);
  float* keys = t.scratch;
  float* values = keys + padded * t.width;
  float* scores = values + padded * t.width;        // (kAttentionRows, padded)
  float* query = scores + kAttentionRows * padded;  // (kAttentionRows, width)
  pack_keys_and_values(t, keys, values);
  float inverse[kAttentionRows];
  for (Size first = 0; first < t.q_rows; first += kAttentionRows) {
    const Size rows = t.q_rows - first < kAttentionRows ? t.q_rows - first : kAttentionRows;
    for (Size i = 0; i < rows; ++i) {
      const float* q = t.q + (first + i) * t.q_stride;
      for (Size d = 0; d < t.width; d += 16) {
        store(query + i * t.width + d, mul(set1(t.scale), load(q + d)));
      }
    }
    multiply({query, t.width, rows, t.width, keys, padded / 16, nullptr, scores, padded, nullptr,
              nullptr});
    for (Size i = 0; i < rows; ++i) inverse[i] = softmax_numerators(scores + i * padded, t.kv_rows);
    float* out = t.q + first * t.q_stride;
    multiply({scores, padded, rows, t.kv_rows, values, t.width / 16, nullptr, out, t.q_stride,
              nullptr, nullptr});
    for (Size i = 0; i < rows; ++i) {
      for (Size d = 0; d < t.width; d += 16) {
        float* at = out + i * t.q_stride + d;
        store(at, mul(load(at), set1(inverse[i])));
      }
    }
  }
}

void layer_norm_f32(const LayerNormF32& n) {
  const auto hidden = static_cast<float>(n.hidden);
  const Size whole = n.hidden / 16 * 16;
  const Size tail = n.hidden - whole;
  for (Size i = 0; i < n.rows; ++i) {
    float* x = n.x + i * n.stride;
    if (n.added != nullptr) {
      const float* added = n.added + i * n.added_stride;
      for (Size j = 0; j < n.hidden; j += 16) store(x + j, add(load(x + j), load(added + j)));
    }
    Vec total = zero();
    for (Size j = 0; j < whole; j += 16) total = add(total, load(x + j));
    if (tail > 0) total = add(total, keep_first(load(x + whole), tail));
    const Vec mean = set1(sum(total) / hidden);
    Vec squares = zero();
    for (Size j = 0; j < whole; j += 16) {
      const Vec d = sub(load(x + j), mean);
      squares = add(squares, mul(d, d));
    }
    if (tail > 0) {
      const Vec d = sub(load(x + whole), mean);
      squares = add(squares, keep_first(mul(d, d), tail));
    }
    const Vec scale = set1(1.0F / sqrt1(sum(squares) / hidden + n.epsilon));
    for (Size j = 0; j < n.hidden; j += 16) {
      const Vec normal = mul(sub(load(x + j), mean), scale);
      store(x + j, fma(normal, load(n.gamma + j), load(n.beta + j)));
    }
  }
}

void widen_f16(const void* from, float* to, Size count) {
  const auto* halves = static_cast<const unsigned char*>(from);
  Size i = 0;
  for (; i + 16 <= count; i += 16) store(to + i, widen16(halves + 2 * i));
  if (i < count) {
    unsigned char last[32] = {};
    for (Size j = 2 * i; j < 2 * count; ++j) last[j - 2 * i] = halves[j];
    float wide[16];
    store(wide, widen16(last));
    for (Size j = i; j < count; ++j) to[j] = wide[j - i];
  }
}
