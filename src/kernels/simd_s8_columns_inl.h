// What becomes of the sums of an int8 product, included after simd_inl.h and integers().

// Applies the activation to a block of g.c.
using ActivateS8 = void (*)(const GemmS8& g, Size row, Size rows, Size column, Size columns);

// The product, its sums to be passed through ColumnsS8 and then `activate`, unless that is null.
void multiply_s8(const GemmS8& g, ActivateS8 activate);

// Columns [column, column + 16) of a GemmS8.
struct ColumnsS8 {
  const GemmS8& g;
  Size column;
  Vec scale, bias, all;  // all: the sum of the weights

  ColumnsS8(const GemmS8& product, Size first)
      : g(product),
        column(first),
        scale(load(g.b_scale + first)),
        bias(g.accumulate ? zero() : load(g.bias + first)),
        all(mul(integers(g.b_sums + first), scale)) {}

  // A row of c before the activation, of its sums as floats.
  void put(Size row, Vec sums) const {
    float* const c = g.c + row * g.c_stride + column;
    const Vec before = g.accumulate ? load(c) : bias;
    const Vec x = fma(mul(sums, set1(g.a_scale[row])), scale, before);
    store(c, fma(set1(g.a_offset[row]), all, x));
  }
};

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
