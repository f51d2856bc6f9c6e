// Mode calibrated: the decoding of ExtractiveReader of Haystack 2.20.
#pragma once

#include <cstdint>
#include <vector>

#include "qa/code_points.h"
#include "qa/decoder.h"
#include "qa/top_k.h"

namespace lambert {

// A span's score is sigmoid(0.1 * (start logit + end logit)), not normalised over its window, so it
// can be compared across windows and documents. The 20 best spans of each window compete; of those
// that overlap only the best one stays. The score of no answer is the probability that none of the
// answers is right: the product of 1 - score.
//
// Departures from the reader: equal scores are ordered by place (and by their logits, where the
// sigmoid is no longer able to tell them apart), windows always keep the whole question
// (max_question_len cuts it), and no answer is one of the top_k answers, not one more.
class CalibratedDecoder final : public Decoder {
 public:
  CalibratedDecoder(const ResolvedParameters& parameters, std::string_view context,
                    const Encoding& encoding);

  void add(const Window& window, std::span<const float> start, std::span<const float> end) override;
  Result result() const override;

 private:
  struct Candidate {
    float logit;
    std::uint32_t start, end;  // code points
  };

  std::vector<Answer> best_without_overlap() const;

  ResolvedParameters parameters_;
  const Encoding& encoding_;
  CodePointIndex context_;
  bool has_window_ = false;
  std::vector<Candidate> candidates_;  // in the order found
  TopSpans spans_;
};

}  // namespace lambert
