// The computations of an encoder as one table of functions per instruction set.
//
// Contract of every table: for the same arguments each gives the same bits, whatever the CPU and
// however rows are split into calls. To that end
//  * a product of matrices starts each element at +0 and adds a[i,k] * b[k,j] for k = 0, 1, ... in
//    order with fused multiply-add (so vectors run over j);
//  * a sum over a row goes to 16 lanes, element i to lane i % 16 in order, and the lanes are added
//    as a tree: i with i + 8, then i + 4, i + 2, i + 1;
//  * exp is the polynomial of math_constants.h; erf and tanh are formulae over it;
//  * a product of integers is an exact sum.
// The functions neither allocate nor throw, keep no state and may run in many threads at once.
//
// Matrices are row-major with a stride in floats. Weights stand in panels of kPanel columns:
// element (k, j) of a panel is panel[k * kPanel + j]; the last panel is filled up with zeros.
// Rows of activations are as wide as whole panels, and the columns that fill up are zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/activation.h"

namespace lambert {

inline constexpr std::size_t kPanel = 16;    // columns; one AVX-512 register, two of AVX2
inline constexpr std::size_t kDepthS8 = 64;  // k of an int8 product is a multiple: a tile of AMX

constexpr std::size_t round_up(std::size_t n, std::size_t unit) {
  return (n + unit - 1) / unit * unit;
}

// c = activation(a * b + bias)
struct GemmF32 {
  const float* a = nullptr;  // (rows, k)
  std::size_t a_stride = 0, rows = 0, k = 0;
  const float* b = nullptr;  // (panels, k, kPanel), 64-byte aligned
  std::size_t panels = 0;
  const float* bias = nullptr;  // (panels * kPanel)
  Activation activation = Activation::kIdentity;
  float* c = nullptr;  // (rows, panels * kPanel)
  std::size_t c_stride = 0;
};

// Rows of floats as bytes, each with the scale and offset that use all of +-127: y[j] = fma(x[j],
// multiplier[j], addend[j]), offset = (max y + min y) / 2, scale = (max y - min y) / 254, to[j] =
// (y[j] - offset) / scale to the nearest integer, ties to even, so y[j] ~ to[j] * scale + offset.
// A row with a y that is not finite has the scale NaN and zeros, so that it cannot pass for a
// result. Each byte is stored with its
// table's `zero_point` added, modulo 256: instructions differ in the sign that they take.
struct QuantizeS8 {
  const float* x = nullptr;                     // (rows, width)
  std::size_t stride = 0, rows = 0, width = 0;  // a multiple of kPanel
  const float* multiplier = nullptr;            // (width)
  const float* addend = nullptr;                // (width)
  unsigned char* to = nullptr;  // (rows, round_up(width, kDepthS8)), filled up with zeros
  std::size_t to_stride = 0;
  float* scales = nullptr;  // (rows); offsets too
  float* offsets = nullptr;
};

// c = activation((a_scale * a + a_offset) * b * b_scale + bias), sums over k in int32:
// x = fma(float(sum) * a_scale[row], b_scale[column], bias[column]), to which a_offset[row] *
// (float(b_sums[column]) * b_scale[column]) is added, fused, before the activation. With
// `accumulate` what c holds takes the place of bias. GELU is x (1/2
// + u P(u^2)) with u = x within +-4 and the polynomial P of math_constants.h: the absolute error is
// below 4e-5, and 4e-5 |x| beyond.
//
// No element of b is beyond +-127, and in each of the groups k = 8i + {0, 1, 4, 5} and 8i + {2, 3,
// 6, 7} of a column the positive elements add up to at most 128 and the negative ones to at least
// -128, so that sums of four products in 16 bits are exact: 255 * 128 < 2^15 where a byte of a is
// unsigned, and 127 * 256 < 2^15 where it is signed.
struct GemmS8 {
  const unsigned char* a = nullptr;  // (rows, k), of this table's quantize_s8
  const float* a_scale = nullptr;    // (rows); a_offset too
  const float* a_offset = nullptr;
  std::size_t a_stride = 0, rows = 0;
  std::size_t k = 0;                     // a multiple of kDepthS8, at most 133,000
  const std::int8_t* b = nullptr;        // (panels, k / 4, kPanel, 4), 64-byte aligned
  const float* b_scale = nullptr;        // (panels * kPanel)
  const std::int32_t* b_sums = nullptr;  // (panels * kPanel), over k
  std::size_t panels = 0;
  const float* bias = nullptr;  // (panels * kPanel); unless accumulate
  bool accumulate = false;
  Activation activation = Activation::kIdentity;
  float* c = nullptr;  // (rows, panels * kPanel)
  std::size_t c_stride = 0;
};

// q = softmax(scale * q k^T) v for one head of one window: the result takes the queries' place.
//
// attention_s8 computes it in integers, as rounded to the nearest, ties to even, with exact sums in
// int32; those of q and k take 8 bits, the others 16:
//  * of each column d of k: m = max |k[j,d]|, K[j,d] = k[j,d] * (limit / m), where limit is 127; of
//    v as well, with a limit of the integer part of (2^20 - 1) / kv_rows, at most 16383;
//  * of each row of q: x[d] = scale * q[d] * (m[d] / limit), m of k's columns, Q[d] = x[d] * (limit
//    / n) with n = max |x[d]|;
//  * e[j] = 2^(11 + (Q K - highest) * (n / limit * log2(e))), P[j] = e[j];
//  * q[d] = (P V) * (m[d] / limit) / (sum of e), m and limit of v's columns.
// Columns and rows with m or n below 2^-100 are zeros. A row of q that is not finite, or where k is
// not, becomes NaN, and so does a column of q where v is not.
struct Attention {
  float* q = nullptr;  // (q_rows, width)
  std::size_t q_stride = 0;
  const float* k = nullptr;  // (kv_rows, width)
  const float* v = nullptr;  // (kv_rows, width)
  std::size_t stride = 0;    // of k and v
  std::size_t q_rows = 0, kv_rows = 0;
  std::size_t width = 0;  // of a head, a multiple of kPanel
  float scale = 1;
  float* scratch = nullptr;  // attention_scratch(kv_rows, width) floats, 64-byte aligned
};

inline constexpr std::size_t kMostKeysS8 = 8192;   // of attention_s8: V has 8 bits there
inline constexpr std::size_t kAttentionRows = 12;  // query rows whose scores are held at a time

constexpr std::size_t attention_scratch(std::size_t kv_rows, std::size_t width) {
  const std::size_t keys = round_up(kv_rows, kPanel);
  return 2 * keys * width + kAttentionRows * (keys + width);
}

// x = x + added; x = (x - mean) / sqrt(variance + epsilon) * gamma + beta, row by row, in place.
struct LayerNormF32 {
  float* x = nullptr;  // (rows, round_up(hidden, kPanel))
  std::size_t stride = 0;
  const float* added = nullptr;  // as x, or null
  std::size_t added_stride = 0;
  std::size_t rows = 0, hidden = 0;
  const float* gamma = nullptr;  // (round_up(hidden, kPanel)), filled up with zeros; beta too
  const float* beta = nullptr;
  float epsilon = 0;
};

struct Kernels {
  const char* name;     // "scalar", "avx2", ...: the values of LAMBERT_ISA
  bool (*supported)();  // by this CPU and operating system
  void (*gemm_f32)(const GemmF32&);
  void (*attention_f32)(const Attention&);
  void (*attention_s8)(const Attention&);
  void (*layer_norm_f32)(const LayerNormF32&);
  // Half precision (IEEE binary16, any alignment) to float, exactly. (count)
  void (*widen_f16)(const void* from, float* to, std::size_t count);
  int zero_point;  // of quantize_s8's bytes
  void (*quantize_s8)(const QuantizeS8&);
  void (*gemm_s8)(const GemmS8&);
};

// Every table of this build, slowest first; the first is "scalar", the reference of the others.
std::span<const Kernels* const> all_kernels();

// The table called `forced`, or the fastest supported one if that is empty; null when there is no
// such table or this CPU cannot run it.
const Kernels* find_kernels(std::string_view forced);

}  // namespace lambert
