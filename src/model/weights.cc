#include "model/weights.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "model/finite.h"

namespace lambert {

namespace {

WeightArray<float> zeros(std::size_t size) {
  AlignedBuffer<float> buffer(size);
  std::memset(buffer.data(), 0, size * sizeof(float));
  return WeightArray<float>(std::move(buffer));
}

// `count` elements of a tensor from `first` on, as floats.
void widen(const Kernels& kernels, const Tensor& tensor, std::size_t first, std::size_t count,
           float* to) {
  widen(kernels, tensor.dtype, tensor.data.data() + first * item_size(tensor.dtype), to, count);
}

constexpr std::size_t kChunk = 1024;  // elements widened at a time; a multiple of kPanel

// Everything that packing one tensor needs.
struct Packing {
  const Kernels& kernels;
  ThreadPool& pool;
  const Tensor& tensor;

  // Each returns whether all values are finite.
  bool operator()(const IntoEmbedding& into) const {
    if (into.precision == Precision::kInt8) return quantize(into);
    *into.table = {.rows = tensor.shape[0],
                   .width = tensor.shape[1],
                   .dtype = tensor.dtype,
                   .values = WeightArray<std::byte>(tensor.data),
                   .owner = tensor.owner};
    const std::size_t width = tensor.shape[1] * item_size(tensor.dtype);
    return all_row_blocks([&](std::size_t first, std::size_t rows) {
      return all_finite(tensor.dtype, tensor.data.data() + first * width, rows * tensor.shape[1]);
    });
  }

  bool operator()(const IntoRows& into) const {
    const std::size_t rows = tensor.shape[0], width = tensor.shape[1];
    *into.rows = zeros(rows * into.stride);
    bool finite = true;
    for (std::size_t row = 0; row < rows; ++row) {
      float* to = into.rows->writable() + row * into.stride;
      widen(kernels, tensor, row * width, width, to);
      finite = finite && all_finite(to, width);
    }
    return finite;
  }

  bool operator()(const IntoVector& into) const {
    if (into.values->size() == 0) *into.values = zeros(into.size);
    std::vector<float> values(tensor.shape[0]);
    widen(kernels, tensor, 0, values.size(), values.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
      into.values->writable()[into.first + into.groups(i)] = values[i];
    }
    return all_finite(values.data(), values.size());
  }

  bool operator()(const IntoMatrix& into) const {
    PackedMatrix& matrix = *into.matrix;
    if (into.precision == Precision::kInt8) return quantize(into);
    if (matrix.values.size() == 0) {
      matrix.k = into.k;
      matrix.panels = into.panels;
      // Huge pages: 32 tokens 6.15 -> 5.53 ms (2 threads, AVX2), loading 75 -> 54 ms (1 thread).
      AlignedBuffer<float> values(into.panels * into.k * kPanel, Pages::kHuge);
      // Padding is zero; where there is none every element is written by some tensor.
      if (into.columns.size != into.columns.stride || into.inputs.size != into.inputs.stride ||
          tensor.shape[0] % kPanel != 0) {
        std::memset(values.data(), 0, values.size() * sizeof(float));
      }
      matrix.values = WeightArray<float>(std::move(values));
    }
    std::atomic<bool> finite{true};
    const std::size_t blocks = (tensor.shape[0] + kPanel - 1) / kPanel;
    pool.parallel_for(blocks, [&](std::size_t block, unsigned) {
      if (!pack_outputs(into, block * kPanel)) finite = false;
    });
    return finite;
  }

 private:
  // Whether body(first, rows) is true for all blocks of rows of the tensor.
  template <typename Body>
  bool all_row_blocks(const Body& body) const {
    constexpr std::size_t kRows = 1024;
    std::atomic<bool> all{true};
    pool.parallel_for((tensor.shape[0] + kRows - 1) / kRows, [&](std::size_t block, unsigned) {
      const std::size_t first = block * kRows;
      if (!body(first, std::min<std::size_t>(kRows, tensor.shape[0] - first))) all = false;
    });
    return all;
  }

  bool quantize(const IntoEmbedding& into) const {
    const std::size_t width = tensor.shape[1];
    AlignedBuffer<std::byte> values(tensor.shape[0] * width);
    AlignedBuffer<float> scales(tensor.shape[0]);
    const bool finite = all_row_blocks([&](std::size_t first, std::size_t rows) {
      std::vector<float> row(width);
      for (std::size_t i = first; i < first + rows; ++i) {
        widen(kernels, tensor, i * width, width, row.data());
        if (!all_finite(row.data(), width)) return false;
        scales[i] = quantize_row(row, reinterpret_cast<std::int8_t*>(values.data() + i * width));
      }
      return true;
    });
    *into.table = {.rows = tensor.shape[0],
                   .width = width,
                   .dtype = DType::kI8,
                   .values = WeightArray<std::byte>(std::move(values)),
                   .scales = WeightArray<float>(std::move(scales))};
    return finite;
  }

  // Outputs [first, first + kPanel) of the checkpoint into their columns.
  bool pack_outputs(const IntoMatrix& into, std::size_t first) const {
    const std::size_t outputs = tensor.shape[0], inputs = tensor.shape[1];
    const std::size_t last = std::min(first + kPanel, outputs);
    alignas(kAlignment) float chunk[kPanel][kChunk];
    bool finite = true;
    for (std::size_t from = 0; from < inputs; from += kChunk) {
      const std::size_t count = std::min(kChunk, inputs - from);
      for (std::size_t o = first; o < last; ++o) {
        widen(kernels, tensor, o * inputs + from, count, chunk[o - first]);
        finite = finite && all_finite(chunk[o - first], count);
      }
      scatter(into, first, last, from, count, chunk);
    }
    return finite;
  }

  bool quantize(const IntoMatrix& into) const {
    PackedMatrix& matrix = *into.matrix;
    if (matrix.panels == 0) {
      matrix.precision = Precision::kInt8;
      matrix.panels = into.panels;
      matrix.k = into.k;
      for (std::size_t i = 0; i < into.blocks(); ++i) {
        matrix.quantized.emplace_back(into.block_inputs(i), into.panels);
      }
    }
    std::atomic<bool> finite{true};
    const std::size_t blocks = (tensor.shape[0] + kPanel - 1) / kPanel;
    pool.parallel_for(blocks, [&](std::size_t block, unsigned) {
      const std::size_t last = std::min<std::size_t>((block + 1) * kPanel, tensor.shape[0]);
      if (!quantize_outputs(into, block * kPanel, last)) finite = false;
    });
    return finite;
  }

  bool quantize_outputs(const IntoMatrix& into, std::size_t first, std::size_t last) const {
    const std::size_t inputs = tensor.shape[1];
    std::vector<float> weights(inputs), column(into.k);
    for (std::size_t o = first; o < last; ++o) {
      widen(kernels, tensor, o * inputs, inputs, weights.data());
      if (!all_finite(weights.data(), inputs)) return false;
      for (std::size_t i = 0; i < inputs; ++i) column[into.inputs(i)] = weights[i];
      for (std::size_t i = 0; i < into.blocks(); ++i) {
        into.matrix->quantized[i].set_column(
            into.first + into.columns(o),
            std::span(column).subspan(i * into.block, into.block_inputs(i)));
      }
    }
    return true;
  }

  static void scatter(const IntoMatrix& into, std::size_t first, std::size_t last, std::size_t from,
                      std::size_t count, const float (&chunk)[kPanel][kChunk]) {
    float* columns[kPanel];
    for (std::size_t o = first; o < last; ++o) {
      const std::size_t column = into.first + into.columns(o);
      columns[o - first] =
          into.matrix->values.writable() + column / kPanel * into.k * kPanel + column % kPanel;
    }
    if (last - first == kPanel && columns[kPanel - 1] == columns[0] + kPanel - 1 &&
        into.inputs.size == into.inputs.stride) {  // one whole panel: rows of 16 in order
      float* row = columns[0] + from * kPanel;
      for (std::size_t i = 0; i < count; ++i, row += kPanel) {
        for (std::size_t o = 0; o < kPanel; ++o) row[o] = chunk[o][i];
      }
      return;
    }
    for (std::size_t o = 0; o < last - first; ++o) {
      for (std::size_t i = 0; i < count; ++i) {
        columns[o][into.inputs(from + i) * kPanel] = chunk[o][i];
      }
    }
  }
};

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return text.starts_with(prefix); });
}

// Bytes of the prefixes that wrappers put before a tensor's name.
std::size_t wrapper_length(std::string_view name) {
  std::size_t length = 0;
  for (const std::string_view wrapper : {"module.", "model."}) {
    if (name.substr(length).starts_with(wrapper)) length += wrapper.size();
  }
  return length;
}

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  }
  return text + "]";
}

}  // namespace

WeightsLoader::WeightsLoader(const EncoderConfig& config, Precision precision, Weights& weights,
                             const Kernels& kernels, ThreadPool& pool)
    : kernels_(kernels),
      pool_(pool),
      prefix_(std::string(family_name(config.family)) + "."),
      slots_(tensor_slots(config, precision, weights)),
      seen_(slots_.size()) {
  weights.precision = precision;
  for (std::size_t i = 0; i < slots_.size(); ++i) by_name_.emplace(slots_[i].name, i);
}

// Checkpoints name the same tensor in several ways: without the prefix of the family, LayerNorm's
// weight and bias as gamma and beta.
std::string WeightsLoader::canonical_name(std::string_view name) const {
  std::string canonical(name);
  const auto replace_end = [&](std::string_view from, std::string_view to) {
    if (canonical.ends_with(from)) {
      canonical.replace(canonical.size() - from.size(), from.size(), to);
    }
  };
  replace_end("LayerNorm.gamma", "LayerNorm.weight");
  replace_end("LayerNorm.beta", "LayerNorm.bias");
  if (starts_with_any(canonical, {"embeddings.", "encoder.", "transformer.", "pooler."})) {
    canonical.insert(0, prefix_);
  }
  return canonical;
}

// What HF's models hold beside the encoder and its question-answering head. What lies deeper in
// that head, or is an encoder within something else, would change the result.
bool WeightsLoader::belongs_to_another_head(std::string_view canonical) const {
  if (canonical.starts_with(prefix_)) {
    const std::string_view rest = canonical.substr(prefix_.size());
    return rest.starts_with("pooler.") || rest == "embeddings.position_ids" ||
           rest == "embeddings.token_type_ids";
  }
  return !canonical.starts_with("qa_outputs.") &&
         canonical.find("." + prefix_) == std::string_view::npos;
}

// A wrapper of the model puts its prefix before the names of all tensors; a name with another one
// than the first is of another model.
bool WeightsLoader::has_known_wrapper(std::string_view name, std::string_view wrapper) {
  if (!wrapper_) {
    wrapper_ = wrapper;
    first_name_ = name;
  }
  if (wrapper == *wrapper_) return true;
  note(quote(name) + " with another prefix than " + quote(first_name_));
  return false;
}

void WeightsLoader::note(const std::string& problem) {
  problems_.push_back(file_.empty() ? problem : problem + " in " + quote(file_));
}

bool WeightsLoader::accept(const Tensor& tensor) {
  const std::size_t wrapper = wrapper_length(tensor.name);
  if (!has_known_wrapper(tensor.name, tensor.name.substr(0, wrapper))) return false;
  const std::string name = canonical_name(tensor.name.substr(wrapper));
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) {
    if (!belongs_to_another_head(name)) {  // a part that would not be computed
      note("extra " + quote(tensor.name));
    }
    return false;
  }
  TensorSlot* const slot = &slots_[found->second];
  const auto index = static_cast<std::size_t>(slot - slots_.data());
  if (seen_[index]) {
    note(quote(slot->name) + " twice");
    return false;
  }
  seen_[index] = true;
  if (tensor.shape != slot->shape) {
    note(quote(slot->name) + " of shape " + shape_text(tensor.shape) + ", expected " +
         shape_text(slot->shape));
    return false;
  }
  if (!is_weight(tensor.dtype)) {
    note(quote(slot->name) + " of type " + std::string(dtype_name(tensor.dtype)) +
         ", expected F32, F16 or BF16");
    return false;
  }
  parameters_ += tensor.elements();
  if (!std::visit(Packing{kernels_, pool_, tensor}, slot->target)) {
    note(quote(slot->name) + " with a value that is infinite or not a number");
  }
  const auto* embedding = std::get_if<IntoEmbedding>(&slot->target);
  return embedding != nullptr && embedding->precision == Precision::kFp32;
}

void WeightsLoader::finish(std::string_view source) const {
  std::vector<std::string> problems = problems_;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (!seen_[i]) problems.push_back("missing " + quote(slots_[i].name));
  }
  if (problems.empty()) return;
  constexpr std::size_t kShown = 20;
  std::string list;
  for (std::size_t i = 0; i < std::min(problems.size(), kShown); ++i) {
    list += (i > 0 ? "; " : "") + problems[i];
  }
  if (problems.size() > kShown) {
    list += "; and " + std::to_string(problems.size() - kShown) + " more";
  }
  fail(ErrorCode::kInvalidModel, source, ": ", problems.size(),
       problems.size() == 1 ? " tensor does" : " tensors do", " not fit config.json: ", list);
}

}  // namespace lambert
