#include "qa/squad_decoder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "qa/probabilities.h"

namespace lambert {

SquadDecoder::SquadDecoder(const ResolvedParameters& parameters, std::string_view context,
                           const Encoding& encoding)
    : parameters_(parameters), encoding_(encoding), context_(context) {
  pool_.reset(parameters_.n_best_size);
}

void SquadDecoder::add(const Window& window, std::span<const float> start,
                       std::span<const float> end) {
  const float null_score = start[0] + end[0];
  if (!has_window_ || null_score < null_score_) null_score_ = null_score;
  has_window_ = true;
  select_rows(window, start, start_rows_);
  select_rows(window, end, end_rows_);
  const std::vector<Row>& last_rows = end_rows_.sort();
  for (const Row& first : start_rows_.sort()) {
    for (const Row& last : last_rows) collect(window, first, last);
  }
}

void SquadDecoder::select_rows(const Window& window, std::span<const float> logits,
                               TopRows& rows) const {
  rows.reset(parameters_.n_best_size);
  const std::size_t behind = window.context_begin + window.context_tokens;
  if (window.context_begin > 0 && !std::isnan(logits[0])) rows.add({logits[0], 0});
  for (std::size_t i = window.context_begin; i < behind; ++i) {
    if (!std::isnan(logits[i])) rows.add({logits[i], static_cast<std::uint32_t>(i)});
  }
}

void SquadDecoder::collect(const Window& window, const Row& first, const Row& last) {
  if (first.row < window.context_begin || last.row < first.row) return;
  if (last.row - first.row >= parameters_.max_answer_len) return;
  const std::size_t shift = window.first_token - window.context_begin;  // may wrap, and back again
  const float score = first.logit + last.logit;
  if (std::isnan(score)) return;
  pool_.add({score, first.logit, last.logit, encoding_.start[first.row + shift],
             encoding_.end[last.row + shift], found_++, false});
}

// The n best, best first; with the null prediction, whether it is one of them or not.
std::vector<SquadDecoder::Prediction> SquadDecoder::predictions() const {
  auto pool = pool_;
  if (!parameters_.handle_impossible_answer) return pool.sort();
  const Prediction null{null_score_, 0, 0, 0, 0, std::numeric_limits<std::uint64_t>::max(), true};
  pool.add(null);
  std::vector<Prediction> predictions = pool.sort();
  const bool has_null = std::any_of(predictions.begin(), predictions.end(),
                                    [](const Prediction& p) { return p.is_null; });
  if (!has_null) predictions.push_back(null);
  return predictions;
}

// No answer and the best answer are compared by the threshold, the others by score.
void SquadDecoder::put_choice_first(std::vector<Prediction>& predictions,
                                    std::vector<double>& scores) const {
  const auto null = std::find_if(predictions.begin(), predictions.end(),
                                 [](const Prediction& p) { return p.is_null; });
  const auto best = std::find_if(predictions.begin(), predictions.end(),
                                 [](const Prediction& p) { return p.end > p.start; });
  auto choice = null;
  if (best != predictions.end()) {
    const float difference = null_score_ - best->start_logit - best->end_logit;
    if (!(static_cast<double>(difference) > parameters_.null_score_diff_threshold)) choice = best;
  }
  const auto place = choice - predictions.begin();
  std::rotate(predictions.begin(), choice, choice + 1);
  std::rotate(scores.begin(), scores.begin() + place, scores.begin() + place + 1);
}

Result SquadDecoder::result() const {
  Result result;
  if (!has_window_) return result;
  std::vector<Prediction> best = predictions();
  if (best.empty()) return result;
  std::vector<double> scores;
  for (const Prediction& prediction : best) {
    const float below = prediction.score - best.front().score;
    scores.push_back(static_cast<double>(static_cast<float>(exact_exp(below))));
  }
  const double sum = std::accumulate(scores.begin(), scores.end(), 0.0);
  for (double& score : scores) score /= sum;
  if (parameters_.handle_impossible_answer) put_choice_first(best, scores);

  for (std::size_t i = 0; i < best.size(); ++i) {
    if (best[i].is_null) result.no_answer_score = scores[i];
    if (parameters_.score_threshold && scores[i] < *parameters_.score_threshold) continue;
    if (result.answers.size() == parameters_.top_k) continue;
    result.answers.push_back({std::string(context_.slice(best[i].start, best[i].end)), scores[i],
                              best[i].start, best[i].end});
  }
  return result;
}

}  // namespace lambert
