// Mode hf: every decision of the question-answering pipeline of transformers 5.2.0.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "qa/code_points.h"
#include "qa/decoder.h"
#include "qa/top_k.h"

namespace lambert {

// Windows are decoded one by one: a softmax over the rows that may be chosen, the best spans by the
// product of their edges' probabilities, spans widened to words. Over all windows, spans of the
// same text (but for case) are one answer: its score is their sum, its place that of the first.
//
// Departures from the pipeline, all where it has no defined or no sensible result: equal scores are
// ordered by place, spans with probability 0 are no candidates, a token [CLS] typed in the question
// takes part in the softmax but is no edge, and any max_seq_len works.
class HfDecoder final : public Decoder {
 public:
  HfDecoder(const ResolvedParameters& parameters, std::string_view context,
            const Encoding& encoding);

  void add(const Window& window, std::span<const float> start, std::span<const float> end) override;
  Result result() const override;

 private:
  struct Candidate {
    double score;              // sum over the spans merged into it
    std::uint32_t start, end;  // code points
    std::uint32_t next;        // candidate whose text has the same hash, or kNone
  };
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  void select(const Window& window);
  void collect(const Window& window, const Span& span);
  void merge(std::uint32_t start, std::uint32_t end, double score);
  std::vector<std::uint32_t> best_candidates() const;

  ResolvedParameters parameters_;
  const Encoding& encoding_;
  CodePointIndex context_;
  double null_score_;  // least over the windows
  std::size_t windows_ = 0;
  std::vector<Candidate> candidates_;                       // in the order found
  std::unordered_map<std::size_t, std::uint32_t> by_text_;  // hash of the text -> first candidate

  std::vector<float> start_, end_;  // probabilities of the window at hand
  TopSpans spans_;
  std::string text_, other_text_;  // lower case
};

}  // namespace lambert
