// A model in memory: configuration, packed weights and tokenizer.
#pragma once

#include <memory>
#include <optional>
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

// Immutable once loaded. Owns the files that weights and tokenizer are views of.
struct LoadedModel {
  EncoderConfig config;
  Weights weights;
  std::unique_ptr<const Tokenizer> tokenizer;
  std::vector<NamedFile> files;
  std::size_t max_window = 0;  // min(config.max_positions, kMaxWindow)
  std::size_t parameters = 0;  // numbers in the weights
  double load_ms = 0;
  std::string source;    // what it was made of, for people: "distilbert-minilm-squad"
  std::string identity;  // of a packed model: its SHA-256 (packed_model.h), 32 bytes
};

// "fp32", "int8", or "auto": none, what a packed model has, else fp32. Throws kInvalidArgument for
// others.
std::optional<Precision> parse_precision(const std::string& name);
const char* precision_name(Precision precision);

// Opens the model of `options` (model_source.h) if it is packed, else reads and packs it on all
// threads of `pool`; with options.bundle_cache keeps it there, and opens that from then on. Throws
// as parse_precision, open_model_source, open_packed_model, parse_config, check_memory,
// Tokenizer::create and WeightsLoader do, and kInvalidArgument for a model that was packed in
// another precision than `options` asks for.
LoadedModel load_model(const Options& options, const Kernels& kernels, ThreadPool& pool);

}  // namespace lambert
