// The computations of an encoder as one table of functions per instruction set.
//
// Contract of every table: for the same arguments each gives the same bits, whatever the CPU and
// however rows are split into calls. To that end
//  * a product of matrices starts each element at +0 and adds a[i,k] * b[k,j] for k = 0, 1, ... in
//    order with fused multiply-add (so vectors run over j);
//  * a sum over a row goes to 16 lanes, element i to lane i % 16 in order, and the lanes are added
//    as a tree: i with i + 8, then i + 4, i + 2, i + 1;
//  * exp is the polynomial of math_constants.h; erf and tanh are formulae over it.
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

inline constexpr std::size_t kPanel = 16;  // columns; one AVX-512 register, two of AVX2

constexpr std::size_t round_up(std::size_t n, std::size_t unit) {
  return (n + unit - 1) / unit * unit;
}

// c = activation(a * b + bias) + residual
struct GemmF32 {
  const float* a = nullptr;  // (rows, k)
  std::size_t a_stride = 0, rows = 0, k = 0;
  const float* b = nullptr;  // (panels, k, kPanel), 64-byte aligned
  std::size_t panels = 0;
  const float* bias = nullptr;  // (panels * kPanel)
  Activation activation = Activation::kIdentity;
  const float* residual = nullptr;  // (rows, panels * kPanel), or null; not c
  std::size_t residual_stride = 0;
  float* c = nullptr;  // (rows, panels * kPanel)
  std::size_t c_stride = 0;
};

// out = softmax(scale * q k^T) v for one head of one window.
struct AttentionF32 {
  const float* q = nullptr;  // (q_rows, width)
  const float* k = nullptr;  // (kv_rows, width)
  const float* v = nullptr;  // (kv_rows, width)
  std::size_t stride = 0;    // of k and v
  std::size_t q_stride = 0;
  std::size_t q_rows = 0, kv_rows = 0;
  std::size_t width = 0;  // of a head, a multiple of kPanel
  float scale = 1;
  float* out = nullptr;  // (q_rows, width)
  std::size_t out_stride = 0;
  float* scratch = nullptr;  // attention_scratch(kv_rows, width) floats, 64-byte aligned
};

inline constexpr std::size_t kAttentionRows = 12;  // query rows whose scores are held at a time

constexpr std::size_t attention_scratch(std::size_t kv_rows, std::size_t width) {
  const std::size_t keys = round_up(kv_rows, kPanel);
  return 2 * keys * width + kAttentionRows * (keys + width);
}

// x = (x - mean) / sqrt(variance + epsilon) * gamma + beta, row by row, in place.
struct LayerNormF32 {
  float* x = nullptr;  // (rows, round_up(hidden, kPanel))
  std::size_t stride = 0, rows = 0, hidden = 0;
  const float* gamma = nullptr;  // (round_up(hidden, kPanel)), filled up with zeros; beta too
  const float* beta = nullptr;
  float epsilon = 0;
};

struct Kernels {
  const char* name;     // "scalar", "avx2", "avx512": the values of LAMBERT_ISA
  bool (*supported)();  // by this CPU and operating system
  void (*gemm_f32)(const GemmF32&);
  void (*attention_f32)(const AttentionF32&);
  void (*layer_norm_f32)(const LayerNormF32&);
  // Half precision (IEEE binary16, any alignment) to float, exactly. (count)
  void (*widen_f16)(const void* from, float* to, std::size_t count);
};

// Every table of this build, slowest first; the first is "scalar", the reference of the others.
std::span<const Kernels* const> all_kernels();

// The table called `forced`, or the fastest supported one if that is empty; null when there is no
// such table or this CPU cannot run it.
const Kernels* find_kernels(std::string_view forced);

}  // namespace lambert
