// The arrays of packed weights as they stand in a file: views of it are what `Weights` holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "checkpoint/bundle.h"
#include "model/weights.h"

namespace lambert {

// One array. Its kind is the role of its tensor and what it is of it: w(eights), b(iases), and with
// int8 s(cales) and z, the sums of columns, by which the zero point of the other operand is undone,
// m(ultiplier) and a(ddend) of inputs. Its index is the layer's + 2^16 * that of the block of
// inputs.
struct WeightSection {
  std::uint32_t kind = 0, index = 0;
  std::size_t bytes = 0;
  std::variant<WeightArray<std::byte>*, WeightArray<std::int8_t>*, WeightArray<std::int32_t>*,
               WeightArray<float>*>
      array;
  const QuantizedMatrix* matrix = nullptr;  // whose values these are

  std::span<const std::byte> content() const;
};

// All arrays of the weights that config, weights.precision and weights.word.dtype ask for, from
// tensor_slots. Does not change `weights`, but for their number of layers.
std::vector<WeightSection> weight_sections(const EncoderConfig& config, Weights& weights);

// Makes `weights` views of the bundle, which must outlive them; weights.precision and
// weights.word.dtype say what was packed. Looks at sizes alone: whatever the numbers, nothing
// outside is read. Throws kInvalidModel.
void view_weights(const Bundle& bundle, const EncoderConfig& config, std::string_view source,
                  Weights& weights);

// That all numbers are such as the loader writes: finite, and within what kernels.h asks for.
// Reads everything. Throws kInvalidModel, naming the section.
void verify_weights(const EncoderConfig& config, std::string_view source, Weights& weights);

}  // namespace lambert
