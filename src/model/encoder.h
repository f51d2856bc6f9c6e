// The forward pass: token ids of packed windows -> start and end logits.
#pragma once

#include <cstdint>
#include <span>

#include "base/aligned_buffer.h"
#include "base/thread_pool.h"
#include "kernels/kernels.h"
#include "model/config.h"
#include "model/weights.h"

namespace lambert {

// Windows of any lengths one after another, without padding. Window w has the tokens
// [window_begin[w], window_begin[w + 1]); its logits are wanted for the rows
// read_rows[read_begin[w] ... read_begin[w + 1]), and only those are computed to the end.
struct Batch {
  std::span<const std::int32_t> ids, type_ids;  // (tokens), within the tables
  std::span<const std::uint32_t> window_begin;  // (windows + 1)
  std::span<const std::uint32_t> read_rows;     // (reads), ascending, numbered over all tokens
  std::span<const std::uint32_t> read_begin;    // (windows + 1)

  std::size_t windows() const { return window_begin.size() - 1; }
};

// Rows of activations, `stride` floats apart.
struct Observed {
  const float* data = nullptr;
  std::size_t stride = 0, count = 0;
};

// Sees what passes through a forward pass.
class ForwardObserver {
 public:
  virtual ~ForwardObserver() = default;
  // The rows that the matrix is about to be multiplied with. They stay until the next call.
  virtual void inputs(const PackedMatrix& matrix, Observed rows) = 0;
  // x + added is about to be normalised.
  virtual void normalised(Observed x, Observed added) = 0;
};

// Activations of one forward pass, allocated once; used by one pass at a time.
class Workspace {
 public:
  // For batches of at most `max_tokens` tokens in windows of at most `max_window`.
  Workspace(const EncoderConfig& config, Precision precision, std::size_t max_tokens,
            std::size_t max_window, unsigned threads);

  std::size_t max_tokens() const { return max_tokens_; }
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
};

// logits: (reads, 2), start and end of each row of batch.read_rows. Does not allocate. An observer
// needs a pool of one thread.
void forward(const EncoderConfig& config, const Weights& weights, const Batch& batch,
             Workspace& workspace, const Kernels& kernels, ThreadPool& pool,
             std::span<float> logits, ForwardObserver* observer = nullptr);

}  // namespace lambert
