#include "qa/memory_plan.h"

#include <algorithm>

#include "base/error.h"
#include "model/workspace.h"

namespace lambert {

std::size_t batch_tokens(const EncoderConfig& config, Precision precision, std::size_t max_window,
                         unsigned threads) {
  constexpr std::size_t kTokensAThread = 512, kMost = 4096, kBytes = 24 << 20;
  const std::size_t a_token = Workspace::bytes(config, precision, 1, 1, 1);
  return std::max(max_window, std::min({kTokensAThread * threads, kMost, kBytes / a_token}));
}

std::size_t activation_bytes(const EncoderConfig& config, Precision precision,
                             std::size_t max_window, unsigned threads) {
  const std::size_t tokens = batch_tokens(config, precision, max_window, threads);
  return Workspace::bytes(config, precision, tokens, max_window, threads);
}

std::size_t peak_memory(const EncoderConfig& config, Precision precision, std::size_t model_bytes,
                        std::size_t max_window, unsigned threads) {
  constexpr std::size_t kProgram = 7'200'000;  // measured: code, heap, questions in flight
  return kProgram + model_bytes + activation_bytes(config, precision, max_window, threads);
}

void check_memory(const EncoderConfig& config, Precision precision, std::size_t max_window,
                  unsigned threads, std::size_t limit, std::string_view source) {
  const std::size_t tokens = batch_tokens(config, precision, max_window, threads);
  const std::size_t weights = packed_bytes(config, precision);
  const std::size_t activations = activation_bytes(config, precision, max_window, threads);
  if (weights <= limit && activations <= limit - weights) return;
  const bool bert = config.family == Family::kBert;
  fail(ErrorCode::kLimitExceeded, source, ": with ", bert ? "hidden_size " : "dim ",
       config.hidden_size, ", ", bert ? "intermediate_size " : "hidden_dim ",
       config.intermediate_size, ", ", bert ? "num_hidden_layers " : "n_layers ", config.num_layers,
       ", ", bert ? "num_attention_heads " : "n_heads ", config.num_heads,
       " and max_position_embeddings ", config.max_positions, " the model takes ",
       weights + activations, " bytes of memory (weights ", weights, ", activations of ", tokens,
       " tokens ", activations, "), but this process may have ", limit,
       "; give it more, or choose a smaller model");
}

}  // namespace lambert
