#include "qa/hf_decoder.h"

#include <algorithm>
#include <numeric>

#include "base/python_lower.h"
#include "qa/probabilities.h"

namespace lambert {
namespace {

constexpr double kNoNullScore = 1000000;  // as in transformers: above every probability

}  // namespace

HfDecoder::HfDecoder(const ResolvedParameters& parameters, std::string_view context,
                     const Encoding& encoding)
    : parameters_(parameters), encoding_(encoding), context_(context), null_score_(kNoNullScore) {}

void HfDecoder::add(const Window& window, std::span<const float> start,
                    std::span<const float> end) {
  masked_softmax(start, window.allowed, start_);
  masked_softmax(end, window.allowed, end_);
  const auto null = static_cast<double>(start_[0] * end_[0]);
  if (null < null_score_) null_score_ = null;
  start_[0] = end_[0] = 0;
  ++windows_;
  select(window);
  for (const Span& span : spans_.sort()) collect(window, span);
}

// Keeps the best spans within the context. The end runs over at most max_answer_len rows, so the
// cost is linear in the tokens.
void HfDecoder::select(const Window& window) {
  // Some may fall together when they are widened to words.
  spans_.reset(parameters_.align_to_words ? 2 * parameters_.top_k + 10 : parameters_.top_k);
  const std::size_t behind = window.context_begin + window.context_tokens;
  const float best_end = *std::max_element(end_.begin(), end_.end());
  for (std::size_t i = window.context_begin; i < behind; ++i) {
    if (spans_.full() && start_[i] * best_end < spans_.worst().score) continue;  // most of them
    const std::size_t limit = std::min(behind - i, parameters_.max_answer_len);
    for (std::size_t j = i; j < i + limit; ++j) {
      const float score = start_[i] * end_[j];
      if (!(score > 0) || (spans_.full() && score < spans_.worst().score)) continue;
      spans_.add({score, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j)});
    }
  }
}

void HfDecoder::collect(const Window& window, const Span& span) {
  std::size_t first = window.first_token + span.first - window.context_begin;
  std::size_t last = window.first_token + span.last - window.context_begin;
  if (parameters_.align_to_words) {  // as far as the words lie within this window
    const std::vector<std::uint32_t>& word = encoding_.word;
    const std::size_t behind = window.first_token + window.context_tokens;
    while (first > window.first_token && word[first - 1] == word[first]) --first;
    while (last + 1 < behind && word[last + 1] == word[last]) ++last;
  }
  merge(encoding_.start[first], encoding_.end[last], static_cast<double>(span.score));
}

void HfDecoder::merge(std::uint32_t start, std::uint32_t end, double score) {
  python_lower(context_.slice(start, end), text_);
  const std::size_t hash = std::hash<std::string>()(text_);
  const auto [place, is_new] =
      by_text_.try_emplace(hash, static_cast<std::uint32_t>(candidates_.size()));
  std::uint32_t* link = nullptr;  // where the chain of this hash ends
  for (std::uint32_t i = is_new ? kNone : place->second; i != kNone; i = *link) {
    Candidate& candidate = candidates_[i];
    bool same = candidate.start == start && candidate.end == end;
    if (!same) {
      python_lower(context_.slice(candidate.start, candidate.end), other_text_);
      same = text_ == other_text_;
    }
    if (same) {
      candidate.score += score;
      return;
    }
    link = &candidate.next;
  }
  if (link != nullptr) *link = static_cast<std::uint32_t>(candidates_.size());
  candidates_.push_back({score, start, end, kNone});
}

std::vector<std::uint32_t> HfDecoder::best_candidates() const {
  std::vector<std::uint32_t> order(candidates_.size());
  std::iota(order.begin(), order.end(), 0U);
  const std::size_t count = std::min(parameters_.top_k, order.size());
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(order.begin(), middle, order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const double left = candidates_[a].score, right = candidates_[b].score;
    return left != right ? left > right : a < b;
  });
  order.resize(count);
  return order;
}

Result HfDecoder::result() const {
  Result result;
  if (windows_ == 0) return result;
  result.no_answer_score = null_score_;
  for (const std::uint32_t i : best_candidates()) {
    const Candidate& candidate = candidates_[i];
    result.answers.push_back({std::string(context_.slice(candidate.start, candidate.end)),
                              candidate.score, candidate.start, candidate.end});
  }
  std::vector<Answer>& answers = result.answers;
  if (parameters_.handle_impossible_answer) {
    const auto behind = std::find_if(answers.begin(), answers.end(), [&](const Answer& answer) {
      return answer.score < null_score_;
    });
    answers.insert(behind, Answer{"", null_score_, 0, 0});
    if (answers.size() > parameters_.top_k) answers.pop_back();
  } else if (answers.empty()) {
    answers.push_back({"", 0, 0, 0});  // no span has a probability above 0
  }
  if (parameters_.score_threshold) {
    std::erase_if(answers, [&](const Answer& a) { return a.score < *parameters_.score_threshold; });
  }
  return result;
}

}  // namespace lambert
