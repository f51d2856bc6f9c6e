#include "model/workspace.h"

#include <algorithm>

namespace lambert {

std::size_t hidden_width(const EncoderConfig& c) {
  return round_up(c.hidden_size, kPanel);
}
std::size_t heads_width(const EncoderConfig& c) {
  return c.num_heads * round_up(c.head_size(), kPanel);
}

std::size_t quantized_width(const EncoderConfig& c) {
  return round_up(std::max({hidden_width(c), heads_width(c), c.intermediate_size}), kDepthS8);
}

Workspace::Workspace(const EncoderConfig& config, Precision precision, std::size_t max_tokens,
                     std::size_t max_window, unsigned threads)
    : max_tokens_(max_tokens),
      stretch_rows_(std::min(max_tokens, kMostRows)),
      hidden_(max_tokens * hidden_width(config)),
      kv_(2 * heads_width(config) * max_tokens),
      context_(max_tokens * heads_width(config)),
      projected_(threads * stretch_rows_ * hidden_width(config)),
      intermediate_(threads * stretch_rows_ * round_up(config.intermediate_size, kPanel)),
      scratch_size_(
          round_up(attention_scratch(max_window, round_up(config.head_size(), kPanel)), kPanel)),
      ranges_(max_tokens, threads) {
  scratch_ = AlignedBuffer<float>(threads * scratch_size_);
  if (precision == Precision::kInt8) {
    bytes_ = AlignedBuffer<unsigned char>(threads * stretch_rows_ * quantized_width(config));
    row_scales_ = AlignedBuffer<float>(threads * stretch_rows_ * kRowScales);
  }
}

std::size_t Workspace::bytes(const EncoderConfig& config, Precision precision,
                             std::size_t max_tokens, std::size_t max_window, unsigned threads) {
  const std::size_t a_token = hidden_width(config) + 3 * heads_width(config);
  const std::size_t a_row = hidden_width(config) + round_up(config.intermediate_size, kPanel);
  const std::size_t quantized =
      precision == Precision::kInt8 ? quantized_width(config) + kRowScales * sizeof(float) : 0;
  const std::size_t scratch =
      attention_scratch(max_window, round_up(config.head_size(), kPanel)) + kPanel;
  return max_tokens * a_token * sizeof(float) +
         threads * (std::min(max_tokens, kMostRows) * (a_row * sizeof(float) + quantized) +
                    scratch * sizeof(float));
}

}  // namespace lambert
