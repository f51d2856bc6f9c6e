// A small encoder with random weights, for tests of what does not depend on their values.
#pragma once

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "model/encoder.h"

namespace lambert {

// Random tensors in the order and shapes of tensor_slots.
class RandomCheckpoint {
 public:
  RandomCheckpoint(const EncoderConfig& config, std::uint64_t seed) : random_(seed) {
    Weights shapes;
    for (const TensorSlot& slot : tensor_slots(config, Precision::kFp32, shapes)) {
      std::uint64_t count = 1;
      for (const std::uint64_t extent : slot.shape) count *= extent;
      std::vector<float> values(count);
      const bool gain =
          slot.name.ends_with("LayerNorm.weight") || slot.name.ends_with("norm.weight");
      for (float& value : values) value = (gain ? 1.0F : 0.0F) + 0.3F * uniform();
      names_.push_back(slot.name);
      shapes_.push_back(slot.shape);
      values_.push_back(std::move(values));
    }
  }

  std::size_t size() const { return names_.size(); }
  Tensor tensor(std::size_t i) const {
    return {names_[i], DType::kF32, shapes_[i], std::as_bytes(std::span(values_[i]))};
  }
  std::vector<float>& values(std::size_t i) { return values_[i]; }

  // This object must outlive the weights.
  Weights load(const EncoderConfig& config, const Kernels& kernels, ThreadPool& pool,
               Precision precision = Precision::kFp32) const {
    Weights weights;
    WeightsLoader loader(config, precision, weights, kernels, pool);
    for (std::size_t i = 0; i < size(); ++i) loader.accept(tensor(i));
    loader.finish("random checkpoint");
    return weights;
  }

 private:
  float uniform() { return static_cast<float>(random_() >> 40) * 0x1p-23F - 1.0F; }

  std::mt19937_64 random_;
  std::vector<std::string> names_;
  std::vector<std::vector<std::uint64_t>> shapes_;
  std::vector<std::vector<float>> values_;
};

// Random windows, packed.
struct RandomBatch {
  std::vector<std::int32_t> ids, type_ids;
  std::vector<std::uint32_t> window_begin{0}, read_rows, read_begin{0};

  void add_window(const EncoderConfig& config, std::size_t tokens, std::mt19937_64& random) {
    const auto first = static_cast<std::uint32_t>(ids.size());
    for (std::uint32_t i = 0; i < tokens; ++i) {
      ids.push_back(static_cast<std::int32_t>(random() % config.vocab_size));
      type_ids.push_back(config.type_vocab_size == 0
                             ? 0
                             : static_cast<std::int32_t>(random() % config.type_vocab_size));
      if (i == 0 || random() % 4 != 0) read_rows.push_back(first + i);
    }
    window_begin.push_back(static_cast<std::uint32_t>(ids.size()));
    read_begin.push_back(static_cast<std::uint32_t>(read_rows.size()));
  }

  Batch view() const { return {ids, type_ids, window_begin, read_rows, read_begin}; }
  std::size_t windows() const { return window_begin.size() - 1; }

  // Window w alone.
  RandomBatch alone(std::size_t w) const {
    RandomBatch one;
    one.ids.assign(ids.begin() + window_begin[w], ids.begin() + window_begin[w + 1]);
    one.type_ids.assign(type_ids.begin() + window_begin[w], type_ids.begin() + window_begin[w + 1]);
    one.window_begin.push_back(static_cast<std::uint32_t>(one.ids.size()));
    for (std::uint32_t i = read_begin[w]; i < read_begin[w + 1]; ++i) {
      one.read_rows.push_back(read_rows[i] - window_begin[w]);
    }
    one.read_begin.push_back(static_cast<std::uint32_t>(one.read_rows.size()));
    return one;
  }
};

inline std::vector<float> run_forward(const EncoderConfig& config, const Weights& weights,
                                      const Batch& batch, const Kernels& kernels,
                                      ThreadPool& pool) {
  Workspace workspace(config, weights.precision, batch.ids.size(), config.max_positions,
                      pool.threads());
  std::vector<float> logits(2 * batch.read_rows.size());
  forward(config, weights, batch, workspace, kernels, pool, logits);
  return logits;
}

}  // namespace lambert
