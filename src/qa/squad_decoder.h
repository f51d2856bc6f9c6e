// Mode squad: the n-best decoding of the SQuAD scripts (postprocess_qa_predictions of the
// question-answering examples of transformers).
#pragma once

#include <cstdint>
#include <vector>

#include "qa/code_points.h"
#include "qa/decoder.h"
#include "qa/top_k.h"

namespace lambert {

// Of each window the n_best_size best start rows are paired with the n_best_size best end rows. The
// n_best_size best pairs of all windows, by the sum of their logits, are the predictions; their
// scores are the softmax over those sums. No answer scores the least start[0] + end[0] of all
// windows, and wins where it exceeds the best prediction by more than null_score_diff_threshold.
//
// Departures from the script: rows of the question and of separators do not compete for the
// n_best_size rows (the first row does), equal scores are ordered by place, and there is no
// made-up answer "empty" where no pair is left.
class SquadDecoder final : public Decoder {
 public:
  SquadDecoder(const ResolvedParameters& parameters, std::string_view context,
               const Encoding& encoding);

  void add(const Window& window, std::span<const float> start, std::span<const float> end) override;
  Result result() const override;

 private:
  struct Row {
    float logit;
    std::uint32_t row;
  };
  struct BetterRow {
    bool operator()(const Row& a, const Row& b) const {
      return a.logit != b.logit ? a.logit > b.logit : a.row < b.row;
    }
  };
  struct Prediction {
    float score, start_logit, end_logit;
    std::uint32_t start, end;  // code points
    std::uint64_t number;      // in the order found
    bool is_null;
  };
  struct BetterPrediction {
    bool operator()(const Prediction& a, const Prediction& b) const {
      return a.score != b.score ? a.score > b.score : a.number < b.number;
    }
  };
  using TopRows = TopK<Row, BetterRow>;

  void select_rows(const Window& window, std::span<const float> logits, TopRows& rows) const;
  void collect(const Window& window, const Row& first, const Row& last);
  std::vector<Prediction> predictions() const;
  void put_choice_first(std::vector<Prediction>& predictions, std::vector<double>& scores) const;

  ResolvedParameters parameters_;
  const Encoding& encoding_;
  CodePointIndex context_;
  std::uint64_t found_ = 0;
  bool has_window_ = false;
  float null_score_ = 0;  // least over the windows
  TopK<Prediction, BetterPrediction> pool_;
  TopRows start_rows_, end_rows_;
};

}  // namespace lambert
