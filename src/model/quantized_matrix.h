// A matrix as int8 with a scale per column, in the form of GemmS8 (kernels.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/aligned_buffer.h"

namespace lambert {

struct QuantizedMatrix {
  std::size_t k = 0, panels = 0;      // k: a multiple of kDepthS8
  AlignedBuffer<std::int8_t> values;  // (panels, k / 4, kPanel, 4)
  AlignedBuffer<float> scales;        // (panels * kPanel)
  AlignedBuffer<std::int32_t> sums;   // (panels * kPanel), of the values of a column

  QuantizedMatrix() = default;
  // Zeros, for products over `inputs` numbers.
  QuantizedMatrix(std::size_t inputs, std::size_t panels);
  static std::size_t bytes(std::size_t inputs, std::size_t panels);

  // Rounds finite `weights` (at most k) to multiples of the column's scale: the least at which the
  // groups of four that GemmS8 names stay below its limit. Different columns may be set at the same
  // time.
  void set_column(std::size_t column, std::span<const float> weights);
};

}  // namespace lambert
