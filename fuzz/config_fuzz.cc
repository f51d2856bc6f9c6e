// Any bytes as config.json: either refused, or every size is within its limits.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "model/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const lambert::EncoderConfig config =
        lambert::parse_config(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz");
    const bool fits = config.vocab_size >= 1 && config.vocab_size <= 2'000'000 &&
                      config.hidden_size >= 1 && config.hidden_size <= 65'536 &&
                      config.num_layers >= 1 && config.num_layers <= 1'000 &&
                      config.intermediate_size >= 1 && config.intermediate_size <= 1'048'576 &&
                      config.max_positions >= 1 && config.max_positions <= 1'048'576 &&
                      config.type_vocab_size <= 1'024 && config.num_heads >= 1 &&
                      config.head_size() * config.num_heads == config.hidden_size &&
                      config.layer_norm_eps >= 0 && config.layer_norm_eps <= 1;
    if (!fits) std::abort();
  } catch (const lambert::Error&) {
  }
  return 0;
}
