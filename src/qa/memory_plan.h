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

// Throws kLimitExceeded, naming the fields of config.json and the bytes, when packed weights and
// activations need more than `limit` bytes. `source` names the file.
void check_memory(const EncoderConfig& config, Precision precision, std::size_t max_window,
                  unsigned threads, std::size_t limit, std::string_view source);

}  // namespace lambert
