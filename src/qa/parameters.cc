#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "qa/windows.h"

namespace lambert {
namespace {

constexpr std::int64_t kDefaultMaxSeqLen = 384;
constexpr std::int64_t kDefaultDocStride = 128;
// Bounds what one question may cost: every window adds up to 2 * top_k + 10 candidates.
constexpr std::int64_t kMaxAnswers = 1000;

std::size_t checked(const char* name, std::int64_t value, std::int64_t low, std::int64_t high,
                    const char* what_limits = "") {
  if (value < low || value > high) {
    fail(ErrorCode::kInvalidArgument, name, " is ", value, ", but must be from ", low, " to ", high,
         what_limits);
  }
  return static_cast<std::size_t>(value);
}

std::size_t at_least_one(const char* name, std::int64_t value) {
  if (value < 1) fail(ErrorCode::kInvalidArgument, name, " is ", value, ", but must be at least 1");
  return static_cast<std::size_t>(value);
}

double finite(const char* name, double value) {
  if (!std::isfinite(value)) {
    fail(ErrorCode::kInvalidArgument, name, " is ", value, ", but must be a finite number");
  }
  return value;
}

std::int64_t default_max_seq_len(std::optional<std::size_t> model_max_length,
                                 std::int64_t positions) {
  const std::int64_t limit = std::min(kDefaultMaxSeqLen, positions);
  if (!model_max_length) return limit;
  return std::min(limit, static_cast<std::int64_t>(std::min<std::size_t>(
                             *model_max_length, static_cast<std::size_t>(limit))));
}

// In tokens; calibrated answers have no limit but the window.
std::size_t answer_length(const Parameters& parameters, std::size_t max_seq_len) {
  if (parameters.max_answer_len) return at_least_one("max_answer_len", *parameters.max_answer_len);
  if (parameters.mode == Mode::kHf) return 15;
  return parameters.mode == Mode::kSquad ? 30 : max_seq_len;
}

}  // namespace

ResolvedParameters resolve(const Parameters& parameters,
                           std::optional<std::size_t> model_max_length,
                           std::size_t model_positions) {
  const auto positions =
      static_cast<std::int64_t>(std::min<std::size_t>(model_positions, std::size_t{1} << 31));
  ResolvedParameters resolved;
  resolved.mode = parameters.mode;
  resolved.top_k = checked("top_k", parameters.top_k, 1, kMaxAnswers);
  resolved.max_seq_len =
      checked("max_seq_len",
              parameters.max_seq_len.value_or(default_max_seq_len(model_max_length, positions)), 1,
              positions, ", the positions of the model");
  const auto length = static_cast<std::int64_t>(resolved.max_seq_len);
  resolved.doc_stride =
      checked("doc_stride", parameters.doc_stride.value_or(std::min(length / 2, kDefaultDocStride)),
              0, length, ", the value of max_seq_len");
  resolved.max_answer_len = answer_length(parameters, resolved.max_seq_len);
  if (parameters.mode != Mode::kHf) {
    resolved.max_question_len = at_least_one("max_question_len", parameters.max_question_len);
  }
  if (parameters.mode == Mode::kSquad) {
    resolved.n_best_size = checked("n_best_size", parameters.n_best_size, 1, kMaxAnswers);
    resolved.null_score_diff_threshold =
        finite("null_score_diff_threshold", parameters.null_score_diff_threshold);
  }
  if (parameters.score_threshold) {
    resolved.score_threshold = finite("score_threshold", *parameters.score_threshold);
  }
  resolved.handle_impossible_answer = parameters.handle_impossible_answer;
  resolved.align_to_words = parameters.align_to_words;
  resolved.offset_type = parameters.offset_type;
  return resolved;
}

}  // namespace lambert
