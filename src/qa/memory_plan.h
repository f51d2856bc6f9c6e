// What a model takes in memory, known from its configuration before anything is loaded.
#pragma once

#include <cstddef>
#include <string_view>

#include "model/weights.h"

namespace lambert {

// Tokens of a batch at most: enough rows to keep every thread busy between two barriers, within
// bounded memory (24 MB of activations), but always one window.
std::size_t batch_tokens(const EncoderConfig& config, Precision precision, std::size_t max_window,
                         unsigned threads);

// Bytes of the activations of such batches.
std::size_t activation_bytes(const EncoderConfig& config, Precision precision,
                             std::size_t max_window, unsigned threads);

// Bytes that are resident at most in a process that answers with full batches from a model of
// `model_bytes`, weights and tokenizer. Within 10 % (of the default model) where questions have
// paragraphs as contexts; contexts and answers that wait take their own size on top.
std::size_t peak_memory(const EncoderConfig& config, Precision precision, std::size_t model_bytes,
                        std::size_t max_window, unsigned threads);

// Throws kLimitExceeded, naming the fields of config.json and the bytes, when packed weights and
// activations need more than `limit` bytes. `source` names the file.
void check_memory(const EncoderConfig& config, Precision precision, std::size_t max_window,
                  unsigned threads, std::size_t limit, std::string_view source);

}  // namespace lambert
