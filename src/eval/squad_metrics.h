// SQuAD's measures of an answer: exact match and F1 after normalisation, as the official scripts
// evaluate-v1.1.py and evaluate-v2.0.py and transformers 5.2.0's squad_metrics.py compute them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lambert {

// Lower case, without ASCII punctuation and the words a, an, the; words joined by single spaces.
std::string normalize_answer(std::string_view text);

struct AnswerScore {
  double exact = 0, f1 = 0;  // 0 .. 1
};

// One answer against one reference. They differ where nothing is left after normalisation: v2.0
// gives F1 1 if both sides are empty, v1.1 gives F1 0.
AnswerScore score_answer(std::string_view answer, std::string_view reference, bool v2);

// The best against any reference. Without references (v2.0: with none that is left after
// normalisation) only an empty answer is right.
AnswerScore score_answer(std::string_view answer, const std::vector<std::string>& references,
                         bool v2);

}  // namespace lambert
