// A model in memory: configuration, packed weights and tokenizer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "lambert/lambert.h"
#include "model/config.h"
#include "model/weights.h"
#include "store/file_set.h"
#include "text/tokenizer.h"

namespace lambert {

// Tokens of a window at most, whatever config.json's max_position_embeddings allows: attention
// takes memory and time with its square, and buffers are sized for the longest window at the start.
inline constexpr std::size_t kMaxWindow = 8192;

// Immutable once loaded. Owns the files that the embedding table points into.
struct LoadedModel {
  EncoderConfig config;
  Weights weights;
  std::unique_ptr<const Tokenizer> tokenizer;
  std::vector<NamedFile> files;
  std::size_t max_window = 0;  // min(config.max_positions, kMaxWindow)
  std::size_t parameters = 0;  // numbers in the weights
  double load_ms = 0;
};

// "fp32", "int8", or "auto", which is fp32. Throws kInvalidArgument for others.
Precision parse_precision(const std::string& name);

// Reads and packs the model of `options` (model_source.h) on all threads of `pool`. Throws as
// parse_precision, open_model_source, parse_config, check_memory, Tokenizer::create and
// WeightsLoader do.
LoadedModel load_model(const Options& options, const Kernels& kernels, ThreadPool& pool);

}  // namespace lambert
