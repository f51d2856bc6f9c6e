// Logits of windows -> answers: one decoder per mode, fed the windows of a question in order.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "qa/windows.h"

namespace lambert {

// One per question, used by one thread at a time.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Windows come in order. `start` and `end` are the logits: (tokens). Those of rows with
  // allowed[row] == 0 were not computed and must not be read (row 0 is always computed).
  virtual void add(const Window& window, std::span<const float> start,
                   std::span<const float> end) = 0;
  // The answers over all windows added so far, best first, at most top_k, with offsets in code
  // points; may be called again after more windows. Fills answers and no_answer_score only.
  virtual Result result() const = 0;
};

// `context` (the text) and `encoding` (of it) must outlive the decoder.
std::unique_ptr<Decoder> make_decoder(const ResolvedParameters& parameters,
                                      std::string_view context, const Encoding& encoding);

}  // namespace lambert
