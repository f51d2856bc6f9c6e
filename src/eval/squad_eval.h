// A model measured on SQuAD: answers to all questions, then their scores.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "eval/in_order.h"
#include "eval/squad_json.h"
#include "lambert/lambert.h"

namespace lambert {

struct Interval {
  double low = 0, high = 0;
};

// Percentages, as the official scripts give them.
struct Averages {
  double exact = 0, f1 = 0;
  std::size_t total = 0;
};

struct Evaluation {
  Averages all;
  Averages has_answer, no_answer;  // of the questions with and without references
  Interval exact_range, f1_range;  // 95 % confidence, bootstrap over questions
  // How well unanswerable questions are told: an empty answer counts as "no answer".
  double no_answer_precision = 0, no_answer_recall = 0, no_answer_f1 = 0;
};

// `answers` has one element a question. 1,000 resamples with a fixed seed.
Evaluation evaluate(const SquadData& data, const std::vector<std::string>& answers);

struct SquadAnswers {
  std::vector<std::string> answers;  // best ones; "" for no answer and for an error
  std::size_t errors = 0;
  std::string first_error;
};

// Answers every question; `progress` (may be empty) is told how many are done.
SquadAnswers answer_squad(const SquadData& data, const Parameters& parameters, const Submit& submit,
                          const std::function<void(std::size_t)>& progress);

}  // namespace lambert
