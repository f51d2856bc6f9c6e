// What all kernels over a vector of 16 floats use. Included by one translation unit per instruction
// set, inside an anonymous namespace and after it has defined
//   struct Vec               16 floats
//   load, store, set1, zero, add, sub, mul, div, fma(a, b, c) = a * b + c, max, min, abs, relu,
//   sqrt1(float), keep_first(v, n), select_negative(x, a, b) = x < 0 ? a : b,
//   scale_by_power(p, shifted), sum(v), highest(v), round_up_16(n)
// No function of the standard library may be used here: it would be compiled for this instruction
// set and could replace the portable copy of another translation unit at link time.

using Size = decltype(sizeof(0));

Vec exp_f32(Vec x) {
  x = min(max(x, set1(kExpMin)), set1(kExpMax));
  const Vec shifted = fma(x, set1(kLog2E), set1(kRoundMagic));
  const Vec n = sub(shifted, set1(kRoundMagic));
  const Vec r = fma(n, set1(-kLn2Low), fma(n, set1(-kLn2High), x));
  Vec p = fma(set1(kExpC6), r, set1(kExpC5));
  p = fma(p, r, set1(kExpC4));
  p = fma(p, r, set1(kExpC3));
  p = fma(p, r, set1(kExpC2));
  p = fma(p, r, set1(1.0F));
  p = fma(p, r, set1(1.0F));
  return scale_by_power(p, shifted);
}

Vec erfc_of_magnitude(Vec x) {
  const Vec z = abs(x);
  const Vec t = div(set1(1.0F), fma(z, set1(kErfcP), set1(1.0F)));
  Vec p = fma(set1(kErfcQ7), t, set1(kErfcQ6));
  p = fma(p, t, set1(kErfcQ5));
  p = fma(p, t, set1(kErfcQ4));
  p = fma(p, t, set1(kErfcQ3));
  p = fma(p, t, set1(kErfcQ2));
  p = fma(p, t, set1(kErfcQ1));
  return mul(exp_f32(sub(zero(), mul(z, z))), mul(p, t));
}

Vec sigmoid(Vec x) {
  return div(set1(1.0F), add(set1(1.0F), exp_f32(sub(zero(), x))));
}

Vec tanh_f32(Vec x) {
  return sub(set1(1.0F), div(set1(2.0F), add(set1(1.0F), exp_f32(add(x, x)))));
}

struct Gelu {
  static Vec apply(Vec x) {
    const Vec tail = erfc_of_magnitude(mul(x, set1(kSqrtHalf)));
    return mul(mul(set1(0.5F), x), select_negative(x, tail, sub(set1(2.0F), tail)));
  }
};
struct GeluTanh {
  static Vec apply(Vec x) {
    const Vec inner = fma(mul(x, x), mul(set1(kGeluCubic), x), x);
    return mul(x, sigmoid(mul(set1(kTwiceSqrt2OverPi), inner)));
  }
};
struct QuickGelu {
  static Vec apply(Vec x) { return mul(x, sigmoid(mul(set1(kQuickGeluScale), x))); }
};
struct Relu {
  static Vec apply(Vec x) { return relu(x); }
};
struct Silu {
  static Vec apply(Vec x) { return mul(x, sigmoid(x)); }
};
struct Tanh {
  static Vec apply(Vec x) { return tanh_f32(x); }
};

// Calls body.template run<R>(first row) for blocks of at most Most rows, as even as possible:
// 128 rows are 7 blocks of 12 and 4 of 11 rather than 10 of 12 and one of 8.
template <int Rows, typename Body>
[[gnu::always_inline]] inline void run_rows(int rows, Size first, const Body& body) {
  if constexpr (Rows > 0) {
    if (rows == Rows) {
      body.template run<Rows>(first);
    } else {
      run_rows<Rows - 1>(rows, first, body);
    }
  }
}

template <int Most, typename Body>
void for_row_blocks(Size rows, const Body& body) {
  const Size blocks = (rows + Most - 1) / Most;
  Size first = 0;
  for (Size i = 0; i < blocks; ++i) {
    const Size next = rows * (i + 1) / blocks;
    run_rows<Most>(static_cast<int>(next - first), first, body);
    first = next;
  }
}

// The activation of a GemmF32 or GemmS8.
template <typename Act, typename Gemm>
void finish(const Gemm& g, Size row, Size rows, Size column, Size columns) {
  for (Size i = row; i < row + rows; ++i) {
    float* c = g.c + i * g.c_stride;
    for (Size j = column; j < column + columns; j += 16) store(c + j, Act::apply(load(c + j)));
  }
}
