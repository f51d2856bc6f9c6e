// Cutting a question + context into overlapping windows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lambert/lambert.h"
#include "text/tokenizer.h"

namespace lambert {

// The plan of all windows of one question; a window is made from it when its turn comes, so memory
// does not grow with their number. Window k holds context tokens [begin(k), end(k)).
struct WindowPlan {
  std::size_t question_tokens = 0;  // after truncation, where the mode truncates
  std::size_t context_tokens = 0;   // of the whole context
  std::size_t special_tokens = 0;   // of the template
  std::size_t width = 0;            // context tokens of a full window
  std::size_t step = 0;             // width - doc_stride
  std::size_t count = 0;            // windows, >= 1

  std::size_t begin(std::size_t window) const { return window * step; }
  std::size_t end(std::size_t window) const {
    const std::size_t end = begin(window) + width;
    return end < context_tokens ? end : context_tokens;
  }
  std::size_t tokens(std::size_t window) const {  // special tokens included
    return special_tokens + question_tokens + end(window) - begin(window);
  }
};

// The parameters of a question with every default filled in. All are within their ranges.
struct ResolvedParameters {
  Mode mode = Mode::kHf;
  std::size_t top_k = 1, max_seq_len = 384, doc_stride = 128, max_answer_len = 15;
  std::size_t max_question_len = 64, n_best_size = 20;
  bool handle_impossible_answer = false, align_to_words = true;
  double null_score_diff_threshold = 0;
  std::optional<double> score_threshold;
  OffsetType offset_type = OffsetType::kCodePoint;
};

// Throws kInvalidArgument naming the parameter, the value found and what is allowed.
// `model_max_length`: the tokenizer's, if any; `model_positions`: what the model can take at most.
ResolvedParameters resolve(const Parameters& parameters,
                           std::optional<std::size_t> model_max_length,
                           std::size_t model_positions);

// Throws kInvalidInput (question leaves no room for context) or kInvalidArgument (doc_stride >= the
// room), both with the numbers.
WindowPlan plan_windows(std::size_t question_tokens, std::size_t context_tokens,
                        std::size_t special_tokens, const ResolvedParameters& parameters);

// One window, laid out by the model's pair template.
struct Window {
  std::vector<std::int32_t> ids, type_ids;  // (tokens)
  std::vector<std::uint8_t> allowed;  // (tokens) 1 for context tokens and wherever the id is CLS's
  std::size_t context_begin = 0;      // row of the first context token
  std::size_t context_tokens = 0;
  std::size_t first_token = 0;  // index of that token within the whole context's Encoding
};

// Fills `window`, reusing its memory.
void make_window(const Tokenizer& tokenizer, const Encoding& question, const Encoding& context,
                 const WindowPlan& plan, std::size_t index, Window& window);

}  // namespace lambert
