// A matrix as int8 with a scale per column, in the form of GemmS8 (kernels.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "model/weight_array.h"

namespace lambert {

// Of a product: 2^17 * 127 * 128, the largest sum, is below 2^31.
inline constexpr std::size_t kMaxInputsS8 = std::size_t{1} << 17;

struct QuantizedMatrix {
  std::size_t k = 0, panels = 0;    // k: a multiple of kDepthS8
  WeightArray<std::int8_t> values;  // (panels, k / 4, kPanel, 4)
  WeightArray<float> scales;        // (panels * kPanel)
  WeightArray<std::int32_t> sums;   // (panels * kPanel), of the values of a column

  QuantizedMatrix() = default;
  // Zeros, for products over `inputs` numbers.
  QuantizedMatrix(std::size_t inputs, std::size_t panels);

  // Rounds finite `weights` (at most k) to multiples of the column's scale: the least at which the
  // groups of four that GemmS8 names stay within its limits. Different columns may be set at the
  // same time.
  void set_column(std::size_t column, std::span<const float> weights);

  // Whether all columns are such as set_column writes. Reads everything.
  bool is_sound() const;
};

}  // namespace lambert
