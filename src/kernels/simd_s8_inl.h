// The int8 kernels, included after simd_integer_inl.h.

// y = x * multiplier + addend, columns [j, j + 16)
inline Vec scaled_input(const QuantizeS8& q, const float* x, Size j) {
  return fma(load(x + j), load(q.multiplier + j), load(q.addend + j));
}

// How a row becomes bytes: (y - offset) * inverse.
struct RowRange {
  float offset, inverse, scale;
};

RowRange row_range(const QuantizeS8& q, const float* x) {
  Vec nothing = zero(), high = scaled_input(q, x, 0), low = high;
  for (Size j = 0; j < q.width; j += 16) {
    const Vec v = scaled_input(q, x, j);
    nothing = fma(v, zero(), nothing);  // NaN, if v is not finite
    high = max(v, high);
    low = min(v, low);
  }
  if (sum(nothing) != 0) {
    return {0.0F, 0.0F, __builtin_bit_cast(float, kNanBits)};
  }
  const float highest_half = 0.5F * highest(high);
  const float lowest_half = -0.5F * highest(sub(zero(), low));
  // Halves, because the difference of two finite numbers may be infinite; + 0: not -0.
  const float half_range = (highest_half - lowest_half) + 0.0F;
  const float offset = (highest_half + lowest_half) + 0.0F;
  return {offset, half_range >= kLeastMagnitude ? 127.0F / half_range : 0.0F, half_range * kPer127};
}

void quantize_s8(const QuantizeS8& q) {
  for (Size i = 0; i < q.rows; ++i) {
    const float* x = q.x + i * q.stride;
    auto* to = q.to + i * q.to_stride;
    const RowRange row = row_range(q, x);
    const Vec inverse = set1(row.inverse), offset = set1(row.offset);
    for (Size j = 0; j < q.width; j += 16) {
      const bool usual = row.inverse > 0;
      store_s8(to + j, usual ? mul(sub(scaled_input(q, x, j), offset), inverse) : zero());
    }
    for (Size j = q.width; j % kDepthS8 != 0; j += 16) store_s8(to + j, zero());
    q.scales[i] = row.scale;
    q.offsets[i] = row.offset;
  }
}

// The sums of panels [panel, panel + Panels), which never leave the registers, and what follows.
template <int Panels>
struct ProductBlockS8 {
  const GemmS8& g;
  Size panel;
  void (*activate)(const GemmS8& g, Size row, Size rows, Size column, Size columns);  // or null

  template <int Rows>
  [[gnu::noinline]] void run(Size row) const {
    const Size column = panel * 16;
    IntegerTile<Bytes, Rows, Panels> tile;
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
      for (int p = 0; p < Panels; ++p) tile.sums[r][p] = first_sums(g.b_sums + column + p * 16);
    }
    // Every block of rows brings in its share of the panels that come next.
    const signed char* b = g.b + column * g.k;
    const Size blocks = (g.rows + kTileRowsS8 - 1) / kTileRowsS8;
    const Size step = (Panels * 128 + blocks - 1) / blocks;
    const signed char* soon = b + Panels * 16 * g.k + row * blocks / g.rows * g.k / 8 * step;
    tile.multiply(g.a + row * g.a_stride, g.a_stride, b, 16 * g.k, g.k, soon, step);
    float* const c = g.c + row * g.c_stride + column;
#pragma GCC unroll 4
    for (int p = 0; p < Panels; ++p) {
      const Vec scale = load(g.b_scale + column + p * 16);
      const Vec bias = g.accumulate ? zero() : load(g.bias + column + p * 16);
      const Vec sum = mul(integers(g.b_sums + column + p * 16), scale);
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        const Size i = row + static_cast<Size>(r);
        float* const out = c + static_cast<Size>(r) * g.c_stride + p * 16;
        const Vec scaled = mul(to_floats(tile.sums[r][p]), set1(g.a_scale[i]));
        const Vec before = g.accumulate ? load(out) : bias;
        store(out, fma(set1(g.a_offset[i]), sum, fma(scaled, scale, before)));
      }
    }
    if (activate != nullptr) activate(g, row, Rows, column, Panels * 16);
  }
};

// Panels outermost: one, (k, 16) bytes, stays in the first-level cache while all rows pass by.
void multiply_s8(const GemmS8& g, void (*activate)(const GemmS8& g, Size row, Size rows,
                                                   Size column, Size columns)) {
  Size panel = 0;
  for (; panel + kTilePanelsS8 <= g.panels; panel += kTilePanelsS8) {
    for_row_blocks<kTileRowsS8>(g.rows, ProductBlockS8<kTilePanelsS8>{g, panel, activate});
  }
  for (; panel < g.panels; ++panel) {
    for_row_blocks<kTileRowsS8>(g.rows, ProductBlockS8<1>{g, panel, activate});
  }
}

struct GeluS8 {
  static Vec apply(Vec x) {
    const Vec u = min(max(x, set1(-kGeluLimit)), set1(kGeluLimit)), square = mul(u, u);
    Vec p = fma(set1(kGeluP7), square, set1(kGeluP6));
    p = fma(p, square, set1(kGeluP5));
    p = fma(p, square, set1(kGeluP4));
    p = fma(p, square, set1(kGeluP3));
    p = fma(p, square, set1(kGeluP2));
    p = fma(p, square, set1(kGeluP1));
    p = fma(p, square, set1(kGeluP0));
    return mul(x, fma(p, u, set1(0.5F)));
  }
};

void gemm_s8(const GemmS8& g) {
  switch (g.activation) {
    case Activation::kIdentity: return multiply_s8(g, nullptr);
    case Activation::kGelu: return multiply_s8(g, finish<GeluS8, GemmS8>);
    case Activation::kGeluTanh: return multiply_s8(g, finish<GeluTanh, GemmS8>);
    case Activation::kQuickGelu: return multiply_s8(g, finish<QuickGelu, GemmS8>);
    case Activation::kRelu: return multiply_s8(g, finish<Relu, GemmS8>);
    case Activation::kSilu: return multiply_s8(g, finish<Silu, GemmS8>);
    case Activation::kTanh: return multiply_s8(g, finish<Tanh, GemmS8>);
  }
}
