// The int8 kernels, included after simd_integer_inl.h and simd_s8_columns_inl.h.

// y = x * multiplier + addend, columns [j, j + 16)
inline Vec scaled_input(const QuantizeS8& q, const float* x, Size j) {
  return fma(load(x + j), load(q.multiplier + j), load(q.addend + j));
}

// How a row becomes bytes: (y - offset) * inverse.
struct RowRange {
  float offset, inverse, scale;
};

// What a row's range is made of. Two, of alternate vectors, as each step waits for the one before.
struct Extremes {
  Vec nothing, high, low;  // nothing: zeros, or NaN where a value is not finite

  void take(Vec v) {
    nothing = fma(v, zero(), nothing);
    high = max(v, high);
    low = min(v, low);
  }
};

RowRange row_range(const QuantizeS8& q, const float* x) {
  const Vec first = scaled_input(q, x, 0);
  Extremes even = {zero(), first, first}, odd = even;
  Size j = 0;
  for (; j + 32 <= q.width; j += 32) {
    even.take(scaled_input(q, x, j));
    odd.take(scaled_input(q, x, j + 16));
  }
  if (j < q.width) even.take(scaled_input(q, x, j));
  const Vec nothing = add(even.nothing, odd.nothing);
  const Vec high = max(even.high, odd.high), low = min(even.low, odd.low);
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
  ActivateS8 activate;  // or null

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
#pragma GCC unroll 4
    for (int p = 0; p < Panels; ++p) {
      const ColumnsS8 columns(g, column + static_cast<Size>(p) * 16);
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        columns.put(row + static_cast<Size>(r), to_floats(tile.sums[r][p]));
      }
    }
    if (activate != nullptr) activate(g, row, Rows, column, Panels * 16);
  }
};

// Panels outermost: one, (k, 16) bytes, stays in the first-level cache while all rows pass by.
void multiply_s8(const GemmS8& g, ActivateS8 activate) {
  Size panel = 0;
  for (; panel + kTilePanelsS8 <= g.panels; panel += kTilePanelsS8) {
    for_row_blocks<kTileRowsS8>(g.rows, ProductBlockS8<kTilePanelsS8>{g, panel, activate});
  }
  for (; panel < g.panels; ++panel) {
    for_row_blocks<kTileRowsS8>(g.rows, ProductBlockS8<1>{g, panel, activate});
  }
}
