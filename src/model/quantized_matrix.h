// A matrix as int8 with a scale per column, in the form of GemmS8 (kernels.h), and what its inputs
// go through before they become int8, too (QuantizeS8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/weight_array.h"

namespace lambert {

// Of a product: 2^17 * 127 * 128, the largest sum, is below 2^31.
inline constexpr std::size_t kMaxInputsS8 = std::size_t{1} << 17;

// C, the covariance of a product's inputs, by which errors of weights are judged: e^T C e.
class InputCovariance {
 public:
  // values: (k, k), symmetric.
  InputCovariance(std::size_t k, std::vector<float> values);

  std::span<const float> row(std::size_t j) const { return {values_.data() + j * k_, k_}; }
  // How much of an error at input j the inputs before it can make up for: row j of the unit lower
  // triangle L of L D L^T = C + a little on the diagonal. (j)
  std::span<const float> carried(std::size_t j) const { return {lower_.data() + j * k_, j}; }

 private:
  std::size_t k_;
  std::vector<float> values_, lower_;
};

struct QuantizedMatrix {
  std::size_t k = 0, panels = 0;    // k: a multiple of kDepthS8
  WeightArray<std::int8_t> values;  // (panels, k / 4, kPanel, 4)
  WeightArray<float> scales;        // (panels * kPanel)
  WeightArray<std::int32_t> sums;   // (panels * kPanel), of the values of a column
  WeightArray<float> multiplier;    // (k), of inputs: 1, unless calibrated
  WeightArray<float> addend;        // (k), added then: 0, unless calibrated

  QuantizedMatrix() = default;
  // Zeros, for products over `inputs` numbers.
  QuantizedMatrix(std::size_t inputs, std::size_t panels);

  // Rounds finite `weights` (at most k) to multiples of the column's scale: the least at which the
  // groups of four that GemmS8 names stay within its limits. Different columns may be set at the
  // same time.
  void set_column(std::size_t column, std::span<const float> weights);

  // The weights of one sign with the largest sum, in magnitude, among those of a group: k = first,
  // first + 1, first + 4, first + 5.
  struct Group {
    std::size_t first = 0;
    bool positive = true;
    double sum = 0;
  };
  static Group largest_group(std::span<const float> weights);
  static constexpr double kGroup = 126;  // that sum / scale, before rounding, which adds at most 2

  // The scale that set_column gives a column.
  static float least_scale(std::span<const float> weights);

  // After set_column: lessens e^T C e with e = weights - scale * integers, within the limits of the
  // groups. Rounds from the last weight to the first, each against the errors so far (LDLQ, Chee et
  // al., 2023), then lets integers take others, in turn, as long as that helps; then the scale at
  // which the error is least. C is of as many inputs as there are weights.
  void refine_column(std::size_t column, std::span<const float> weights, const InputCovariance& c);

  // Whether all columns are such as set_column writes. Reads everything.
  bool is_sound() const;
};

}  // namespace lambert
