// How fast the encoder's matrix products are on one core, as one line of JSON a place: instruction
// set, precision, shape of the model, tokens and "gops", 1e9 operations a second, two a
// multiply-add. Compare them with what peak.cc says that the instructions can do; the int8 product
// of AVX2 may exceed that, as it takes no sign step and one vpmaddwd for two vpmaddubsw.
//
// They are the four products of a layer as src/model/encoder.cc does them: rows in stretches of at
// most 128, queries, keys and values head by head, in int8 the last product in blocks of its
// inputs. Biases are added; activations, quantisation and attention are left out. The weights of
// six layers take turns, so that they come from the caches that they come from in a model.
#include "kernels/kernels.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <random>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"
#include "model/weights.h"

namespace {

using lambert::AlignedBuffer;
using lambert::kPanel;
using lambert::Precision;
using Clock = std::chrono::steady_clock;

struct Shape {
  const char* name;
  std::size_t hidden, intermediate, heads;

  std::size_t head_width() const { return hidden / heads; }
};

// All of their sizes are multiples of kDepthS8 and those of heads of kPanel: nothing is filled up.
constexpr std::array kShapes = {Shape{"minilm", 384, 1536, 12},
                                Shape{"distilbert-base", 768, 3072, 12}};
constexpr std::array<std::size_t, 3> kTokens = {32, 128, 384};
constexpr std::size_t kMostTokens = 384;
constexpr std::size_t kMostRows = 128;  // of a stretch, as in encoder.cc
constexpr std::size_t kLayers = 6;
constexpr double kSeconds = 0.15;  // at each place, at least
constexpr int kFewestPasses = 3;

const char* name_of(Precision precision) {
  return precision == Precision::kInt8 ? "int8" : "fp32";
}

std::minstd_rand& generator() {
  static std::minstd_rand engine(20);
  return engine;
}

void fill(float* to, std::size_t count) {  // within +-1
  constexpr float kHalf = 0.5F * static_cast<float>(std::minstd_rand::max());
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = (static_cast<float>(generator()()) - kHalf) / kHalf;
  }
}

AlignedBuffer<float> random_floats(std::size_t count,
                                   lambert::Pages pages = lambert::Pages::kUsual) {
  AlignedBuffer<float> buffer(count, pages);
  fill(buffer.data(), count);
  return buffer;
}

lambert::QuantizedMatrix random_block(std::size_t inputs, std::size_t outputs) {
  lambert::QuantizedMatrix block(inputs, outputs / kPanel);
  std::vector<float> column(inputs);
  for (std::size_t j = 0; j < outputs; ++j) {
    fill(column.data(), inputs);
    block.set_column(j, column);
  }
  return block;
}

// In int8 cut into `blocks` blocks of inputs.
lambert::PackedMatrix random_matrix(Precision precision, std::size_t inputs, std::size_t outputs,
                                    std::size_t blocks) {
  lambert::PackedMatrix matrix;
  matrix.precision = precision;
  matrix.k = inputs;
  matrix.panels = outputs / kPanel;
  matrix.bias = lambert::WeightArray<float>(random_floats(outputs));
  if (precision == Precision::kFp32) {
    matrix.values = lambert::WeightArray<float>(
        random_floats(inputs * outputs, lambert::Pages::kHuge));  // as weights.cc has them
    return matrix;
  }
  const std::size_t block = lambert::block_size(inputs, blocks);
  for (std::size_t first = 0; first < inputs; first += block) {
    matrix.quantized.push_back(random_block(std::min(block, inputs - first), outputs));
  }
  return matrix;
}

struct Layer {
  lambert::PackedMatrix qkv, attention_output, intermediate, output;
};

std::vector<Layer> random_layers(const Shape& shape, Precision precision) {
  std::vector<Layer> layers(kLayers);
  for (Layer& layer : layers) {
    layer.qkv = random_matrix(precision, shape.hidden, 3 * shape.hidden, 1);
    layer.attention_output = random_matrix(precision, shape.hidden, shape.hidden, 1);
    layer.intermediate = random_matrix(precision, shape.hidden, shape.intermediate, 1);
    layer.output =
        random_matrix(precision, shape.intermediate, shape.hidden, lambert::kOutputBlocks);
  }
  return layers;
}

// What the products read and write: in fp32 the rows of a stretch that others left, in int8 one
// stretch of bytes, as wide as the widest, that all of them read.
class Activations {
 public:
  Activations(const Shape& shape, const lambert::Kernels& kernels)
      : hidden(random_floats(kMostTokens * shape.hidden)),
        context(random_floats(kMostTokens * shape.hidden)),
        qkv(random_floats(3 * kMostTokens * shape.hidden)),
        projected(random_floats(kMostRows * shape.hidden)),
        intermediate(random_floats(kMostRows * shape.intermediate)),
        bytes(kMostRows * shape.intermediate),
        scales(kMostRows),
        offsets(kMostRows) {
    AlignedBuffer<float> ones(shape.intermediate), zeros(shape.intermediate);
    std::fill_n(ones.data(), shape.intermediate, 1.0F);
    std::fill_n(zeros.data(), shape.intermediate, 0.0F);
    kernels.quantize_s8({.x = intermediate.data(),
                         .stride = shape.intermediate,
                         .rows = kMostRows,
                         .width = shape.intermediate,
                         .multiplier = ones.data(),
                         .addend = zeros.data(),
                         .to = bytes.data(),
                         .to_stride = shape.intermediate,
                         .scales = scales.data(),
                         .offsets = offsets.data()});
  }

  AlignedBuffer<float> hidden, context;          // (tokens, hidden)
  AlignedBuffer<float> qkv;                      // (query, key, value; heads; tokens; head_width)
  AlignedBuffer<float> projected, intermediate;  // (rows, hidden), (rows, intermediate)
  AlignedBuffer<unsigned char> bytes;            // (rows, intermediate)
  AlignedBuffer<float> scales, offsets;          // (rows)
};

// The products of a pass over `tokens` tokens.
class Products {
 public:
  Products(const Shape& shape, const lambert::Kernels& kernels, std::size_t tokens)
      : shape_(shape), kernels_(kernels), tokens_(tokens), activations_(shape, kernels) {}

  void run(const Layer& layer) {
    for (std::size_t first = 0; first < tokens_; first += kMostRows) {
      run(layer, first, std::min(kMostRows, tokens_ - first));
    }
  }

  double operations() const {  // of a layer
    const std::size_t weights =
        4 * shape_.hidden * shape_.hidden + 2 * shape_.hidden * shape_.intermediate;
    return 2.0 * static_cast<double>(tokens_) * static_cast<double>(weights);
  }

 private:
  // Rows of `stride` floats.
  struct Rows {
    float* data;
    std::size_t stride;
  };

  void run(const Layer& layer, std::size_t first, std::size_t rows) {
    const std::size_t width = shape_.hidden, head_width = shape_.head_width();
    const Rows hidden{activations_.hidden.data() + first * width, width};
    const Rows context{activations_.context.data() + first * width, width};
    const Rows projected{activations_.projected.data(), width};
    const Rows intermediate{activations_.intermediate.data(), shape_.intermediate};
    for (std::size_t i = 0; i < 3 * shape_.heads; ++i) {
      float* head = activations_.qkv.data() + (i * kMostTokens + first) * head_width;
      const std::size_t panels = head_width / kPanel;
      multiply(rows, hidden, layer.qkv, i * panels, panels, {head, head_width});
    }
    multiply(rows, context, layer.attention_output, projected);
    multiply(rows, hidden, layer.intermediate, intermediate);
    multiply(rows, intermediate, layer.output, projected);
  }

  void multiply(std::size_t rows, Rows from, const lambert::PackedMatrix& matrix, Rows to) {
    multiply(rows, from, matrix, 0, matrix.panels, to);
  }

  // to = from W + b of the columns of panels [panel, panel + panels)
  void multiply(std::size_t rows, Rows from, const lambert::PackedMatrix& matrix, std::size_t panel,
                std::size_t panels, Rows to) {
    const std::size_t column = panel * kPanel;
    const float* bias = matrix.bias.data() + column;
    if (matrix.precision == Precision::kFp32) {
      return kernels_.gemm_f32({.a = from.data,
                                .a_stride = from.stride,
                                .rows = rows,
                                .k = matrix.k,
                                .b = matrix.values.data() + column * matrix.k,
                                .panels = panels,
                                .bias = bias,
                                .c = to.data,
                                .c_stride = to.stride});
    }
    for (std::size_t i = 0; i < matrix.quantized.size(); ++i) {
      const lambert::QuantizedMatrix& b = matrix.quantized[i];
      kernels_.gemm_s8({.a = activations_.bytes.data() + i * matrix.quantized.front().k,
                        .a_scale = activations_.scales.data(),
                        .a_offset = activations_.offsets.data(),
                        .a_stride = shape_.intermediate,
                        .rows = rows,
                        .k = b.k,
                        .b = b.values.data() + column * b.k,
                        .b_scale = b.scales.data() + column,
                        .b_sums = b.sums.data() + column,
                        .panels = panels,
                        .bias = bias,
                        .accumulate = i > 0,
                        .c = to.data,
                        .c_stride = to.stride});
    }
  }

  const Shape& shape_;
  const lambert::Kernels& kernels_;
  std::size_t tokens_;
  Activations activations_;
};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// In 1e9 operations a second, from the best time of each layer over all passes.
double rate(Products& products, const std::vector<Layer>& layers) {
  std::vector<double> best(layers.size(), 1e9);
  const auto begin = Clock::now();
  for (int pass = 0; pass < kFewestPasses || seconds_since(begin) < kSeconds; ++pass) {
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const auto before = Clock::now();
      products.run(layers[i]);
      best[i] = std::min(best[i], seconds_since(before));
    }
  }
  double seconds = 0;
  for (const double time : best) seconds += time;
  return products.operations() * static_cast<double>(layers.size()) / seconds / 1e9;
}

void measure(const Shape& shape, Precision precision) {
  const std::vector<Layer> layers = random_layers(shape, precision);
  for (const lambert::Kernels* kernels : lambert::all_kernels().subspan(1)) {  // all but scalar
    if (!kernels->supported()) continue;
    for (const std::size_t tokens : kTokens) {
      Products products(shape, *kernels, tokens);
      std::printf(
          "{\"isa\": \"%s\", \"precision\": \"%s\", \"shape\": \"%s\", \"tokens\": %zu, "
          "\"gops\": %.1f}\n",
          kernels->name, name_of(precision), shape.name, tokens, rate(products, layers));
      std::fflush(stdout);
    }
  }
}

}  // namespace

int main() {
  try {
    for (const Precision precision : {Precision::kInt8, Precision::kFp32}) {
      for (const Shape& shape : kShapes) measure(shape, precision);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_kernels: %s\n", error.what());
    return 1;
  }
  return 0;
}
