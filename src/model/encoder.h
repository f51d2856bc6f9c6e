// The forward pass: token ids of packed windows -> start and end logits.
#pragma once

#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "kernels/kernels.h"
#include "model/config.h"
#include "model/weights.h"
#include "model/workspace.h"

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

// logits: (reads, 2), start and end of each row of batch.read_rows. Does not allocate. An observer
// needs a pool of one thread.
void forward(const EncoderConfig& config, const Weights& weights, const Batch& batch,
             Workspace& workspace, const Kernels& kernels, ThreadPool& pool,
             std::span<float> logits, ForwardObserver* observer = nullptr);

}  // namespace lambert
