#include "qa/calibrated_decoder.h"

#include <algorithm>
#include <limits>

#include "qa/probabilities.h"

namespace lambert {
namespace {

// The defaults of ExtractiveReader.
constexpr std::size_t kAnswersPerWindow = 20;
constexpr float kCalibrationFactor = 0.1F;
constexpr double kOverlapThreshold = 0.01;  // of the characters of either answer

bool overlap(const Answer& a, const Answer& b) {
  if (a.start > b.end || b.start > a.end) return false;
  const std::size_t common =
      std::min({a.end - a.start, a.end - b.start, b.end - a.start, b.end - b.start});
  if (common == 0) return false;
  const std::size_t shorter = std::min(a.end - a.start, b.end - b.start);
  return static_cast<double>(common) / static_cast<double>(shorter) > kOverlapThreshold;
}

}  // namespace

CalibratedDecoder::CalibratedDecoder(const ResolvedParameters& parameters, std::string_view context,
                                     const Encoding& encoding)
    : parameters_(parameters), encoding_(encoding), context_(context) {}

void CalibratedDecoder::add(const Window& window, std::span<const float> start,
                            std::span<const float> end) {
  has_window_ = true;
  spans_.reset(kAnswersPerWindow);
  const std::size_t behind = window.context_begin + window.context_tokens;
  float best_end = -std::numeric_limits<float>::infinity();
  for (std::size_t j = window.context_begin; j < behind; ++j) best_end = std::max(best_end, end[j]);
  for (std::size_t i = window.context_begin; i < behind; ++i) {
    if (spans_.full() && start[i] + best_end < spans_.worst().score) continue;  // most of them
    const std::size_t limit = std::min(behind - i, parameters_.max_answer_len);
    for (std::size_t j = i; j < i + limit; ++j) {
      const float logit = start[i] + end[j];
      if (!(logit > -std::numeric_limits<float>::infinity())) continue;  // NaN too
      if (spans_.full() && logit < spans_.worst().score) continue;
      spans_.add({logit, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j)});
    }
  }
  const std::size_t shift = window.first_token - window.context_begin;  // may wrap, and back again
  for (const Span& span : spans_.sort()) {
    candidates_.push_back(
        {span.score, encoding_.start[span.first + shift], encoding_.end[span.last + shift]});
  }
}

std::vector<Answer> CalibratedDecoder::best_without_overlap() const {
  std::vector<Candidate> ordered = candidates_;
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const Candidate& a, const Candidate& b) { return a.logit > b.logit; });
  std::vector<Answer> kept;
  for (const Candidate& candidate : ordered) {
    if (kept.size() == parameters_.top_k) break;
    const double score = static_cast<double>(sigmoid(candidate.logit * kCalibrationFactor));
    if (!(score > 0)) break;
    Answer answer{"", score, candidate.start, candidate.end};
    const bool taken = std::any_of(kept.begin(), kept.end(),
                                   [&](const Answer& other) { return overlap(other, answer); });
    if (!taken) kept.push_back(std::move(answer));
  }
  for (Answer& answer : kept) answer.answer = context_.slice(answer.start, answer.end);
  return kept;
}

Result CalibratedDecoder::result() const {
  Result result;
  if (!has_window_) return result;
  std::vector<Answer>& answers = result.answers;
  answers = best_without_overlap();
  double no_answer = 1;
  for (const Answer& answer : answers) no_answer *= 1 - answer.score;
  result.no_answer_score = no_answer;
  if (parameters_.handle_impossible_answer) {
    const auto behind = std::find_if(answers.begin(), answers.end(), [&](const Answer& answer) {
      return answer.score < no_answer;
    });
    answers.insert(behind, Answer{"", no_answer, 0, 0});
    if (answers.size() > parameters_.top_k) answers.pop_back();
  }
  if (parameters_.score_threshold) {
    std::erase_if(answers, [&](const Answer& a) { return a.score < *parameters_.score_threshold; });
  }
  return result;
}

}  // namespace lambert
