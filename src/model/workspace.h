// The activations of a forward pass.
#pragma once

#include <cstddef>

#include "base/aligned_buffer.h"
#include "kernels/kernels.h"
#include "model/config.h"
#include "model/weights.h"
#include "model/window_ranges.h"

namespace lambert {

// Floats of a row, with padding.
std::size_t hidden_width(const EncoderConfig& config);
std::size_t heads_width(const EncoderConfig& config);
// Bytes of the widest row that is quantised.
std::size_t quantized_width(const EncoderConfig& config);

constexpr std::size_t kRowScales = 2 * kOutputBlocks;  // numbers a row: scales and offsets

// Rows that one thread carries through all steps between two attentions, or through all layers, so
// that no thread waits for another and what passes between the steps stays in its caches.
constexpr std::size_t kMostRows = 128;

// Activations of one forward pass, allocated once; used by one pass at a time.
class Workspace {
 public:
  // For batches of at most `max_tokens` tokens in windows of at most `max_window`.
  Workspace(const EncoderConfig& config, Precision precision, std::size_t max_tokens,
            std::size_t max_window, unsigned threads);

  std::size_t max_tokens() const { return max_tokens_; }
  WindowRanges& ranges() { return ranges_; }
  static std::size_t bytes(const EncoderConfig& config, Precision precision, std::size_t max_tokens,
                           std::size_t max_window, unsigned threads);

 private:
  friend class Forward;
  std::size_t max_tokens_;
  std::size_t stretch_rows_;      // that one thread works on at a time
  AlignedBuffer<float> hidden_;   // (tokens, hidden)
  AlignedBuffer<float> kv_;       // (key, value; heads; tokens; head_width)
  AlignedBuffer<float> context_;  // (tokens, heads * head_width): queries, then what they find
  // (threads, stretch_rows, ...): what lives between two steps.
  AlignedBuffer<float> projected_;      // hidden: of attention_output and of output
  AlignedBuffer<float> intermediate_;   // intermediate
  AlignedBuffer<unsigned char> bytes_;  // int8: k, the left operand of a product
  AlignedBuffer<float> row_scales_;     // int8: scales and offsets of blocks of inputs
  AlignedBuffer<float> scratch_;        // (threads, attention_scratch)
  std::size_t scratch_size_;
  WindowRanges ranges_;
};

}  // namespace lambert
