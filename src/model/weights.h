// The weights of an encoder with its question-answering head, packed for the kernels.
//
// One list of tensors (tensor_slots) says what each tensor of a checkpoint is called, which shape
// it must have and where it goes; loading, the error report, packed models and `lambert inspect`
// all follow it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/thread_pool.h"
#include "checkpoint/tensor.h"
#include "kernels/kernels.h"
#include "model/config.h"
#include "model/embedding_table.h"
#include "model/quantized_matrix.h"

namespace lambert {

// Into how many blocks of inputs the second matrix of a feed-forward network, whose rows are most
// uneven, is cut at most in int8 (docs/performance.md). The others are one block.
inline constexpr std::size_t kOutputBlocks = 4;

// Inputs of a block, of k in at most `blocks`; a multiple of kDepthS8.
constexpr std::size_t block_size(std::size_t k, std::size_t blocks) {
  return round_up((k + blocks - 1) / blocks, kDepthS8);
}

// Of the encoder's matrices and, with int8, the word embeddings. The question-answering head is two
// columns and stays fp32.
enum class Precision { kFp32, kInt8 };

// y = x W^T + b of a checkpoint, as panels of columns (kernels.h), in one of two precisions.
struct PackedMatrix {
  Precision precision = Precision::kFp32;
  std::size_t k = 0, panels = 0;
  WeightArray<float> values;  // fp32: (panels, k, kPanel)
  WeightArray<float> bias;    // (panels * kPanel)
  // int8: blocks of inputs, each but the last with as many as the first; rows get a scale a block.
  std::vector<QuantizedMatrix> quantized;
};

struct NormWeights {
  WeightArray<float> gamma, beta;  // (round_up(hidden, kPanel))
};

// Each head takes head_width = round_up(head_size, kPanel) columns, filled up with zeros.
struct LayerWeights {
  PackedMatrix qkv;               // (hidden) -> (query, key, value; heads; head_width)
  PackedMatrix attention_output;  // (heads * head_width) -> (hidden)
  NormWeights attention_norm;
  PackedMatrix intermediate;  // (hidden) -> (intermediate)
  PackedMatrix output;        // (intermediate) -> (hidden)
  NormWeights output_norm;
};

struct Weights {
  Precision precision = Precision::kFp32;
  EmbeddingTable word;                      // (vocab, hidden); fp32: in the checkpoint's precision
  WeightArray<float> position, token_type;  // (rows, round_up(hidden, kPanel))
  NormWeights embedding_norm;
  std::vector<LayerWeights> layers;
  PackedMatrix qa_outputs;  // (hidden) -> (start, end)
};

// Index i of a checkpoint stands at i / size * stride + i % size in the packed form.
struct Groups {
  std::size_t size = 1, stride = 1;
  std::size_t operator()(std::size_t i) const { return i / size * stride + i % size; }
};

// Where a tensor goes.
struct IntoEmbedding {
  EmbeddingTable* table;
  Precision precision;
};
struct IntoRows {  // (rows, width) -> rows of `stride` floats
  WeightArray<float>* rows;
  std::size_t stride;
};
struct IntoVector {  // (n) -> first + groups(i) of a buffer of `size` floats
  WeightArray<float>* values;
  std::size_t size, first;
  Groups groups;
};
struct IntoMatrix {  // (out, in) -> columns first + columns(out), rows inputs(in)
  PackedMatrix* matrix;
  Precision precision;
  std::size_t k, panels, first;
  Groups columns, inputs;
  std::size_t block;  // int8: inputs of a block, a multiple of kDepthS8

  std::size_t blocks() const { return (k + block - 1) / block; }
  std::size_t block_inputs(std::size_t i) const { return std::min(block, k - i * block); }
};

struct TensorSlot {
  std::string name;                  // as transformers writes it
  std::vector<std::uint64_t> shape;  // expected
  std::variant<IntoEmbedding, IntoRows, IntoVector, IntoMatrix> target;
  std::uint32_t kind = 0, index = 0;  // of the section that it is (part of), weight_sections.h
};

// The list. `weights.layers` is sized; nothing else is allocated. Throws kUnsupportedModel for more
// inputs than int8 takes.
std::vector<TensorSlot> tensor_slots(const EncoderConfig& config, Precision precision,
                                     Weights& weights);

// Bytes of `Weights` when loaded, without word embeddings that stay in their file (fp32).
std::size_t packed_bytes(const EncoderConfig& config, Precision precision);

// Takes the tensors of a checkpoint in any order. Not safe for concurrent use.
class WeightsLoader {
 public:
  // Used until finish(): all references.
  WeightsLoader(const EncoderConfig& config, Precision precision, Weights& weights,
                const Kernels& kernels, ThreadPool& pool);

  // The tensors that come next are from this file of several, which problems then name.
  void begin_file(std::string_view name) { file_ = name; }

  // Copies and packs the tensor, or notes what is wrong with it. True if `weights` now refers to
  // tensor.data, which must then live as long as they do (tensor.owner is kept).
  bool accept(const Tensor& tensor);

  // Throws kInvalidModel with every missing, extra, mis-shaped or non-finite tensor by name.
  void finish(std::string_view source) const;

  std::size_t parameters() const { return parameters_; }

 private:
  std::string canonical_name(std::string_view name) const;
  bool belongs_to_another_head(std::string_view canonical) const;
  void note(const std::string& problem);
  bool has_known_wrapper(std::string_view name, std::string_view wrapper);

  const Kernels& kernels_;
  ThreadPool& pool_;
  std::string prefix_;  // "bert."
  std::vector<TensorSlot> slots_;
  std::unordered_map<std::string_view, std::size_t> by_name_;
  std::vector<bool> seen_;
  std::vector<std::string> problems_;
  std::optional<std::string> wrapper_;  // of the first tensor
  std::string first_name_;
  std::string file_;  // "" for a model in one
  std::size_t parameters_ = 0;
};

}  // namespace lambert
