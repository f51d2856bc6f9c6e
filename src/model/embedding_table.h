// A table of embeddings, of which a question needs a few rows: they are widened one by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "checkpoint/tensor.h"
#include "kernels/kernels.h"
#include "model/weight_array.h"

namespace lambert {

struct EmbeddingTable {
  std::size_t rows = 0, width = 0;
  DType dtype = DType::kF32;       // a weight's, as in the checkpoint, or kI8
  WeightArray<std::byte> values;   // (rows, width), any alignment
  WeightArray<float> scales = {};  // kI8: (rows), what the values of a row are multiples of
  std::shared_ptr<const void> owner = nullptr;  // what views lie in, unless that is a file
};

// bfloat16, any alignment, to float, exactly. (count)
void widen_bf16(const std::byte* from, float* to, std::size_t count);

// Weights of a checkpoint to float, exactly. (count)
void widen(const Kernels& kernels, DType dtype, const std::byte* from, float* to,
           std::size_t count);

// Row `row`, which is there, to floats: (width). The same bits with every table of kernels.
void widen_row(const Kernels& kernels, const EmbeddingTable& table, std::size_t row, float* to);

// Rounds finite `values` to multiples of 1/127 of the largest magnitude, which is returned: (width)
float quantize_row(std::span<const float> values, std::int8_t* to);

}  // namespace lambert
