#include "eval/squad_eval.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "eval/squad_metrics.h"

namespace lambert {

namespace {

constexpr int kResamples = 1000;

// SplitMix64 (Steele, Lea, Flood 2014): the same numbers with every standard library.
class SplitMix {
 public:
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>((next() >> 32) * n >> 32); }

 private:
  std::uint64_t state_ = 2016;
};

template <typename Include>
Averages average(const std::vector<AnswerScore>& scores, const Include& include) {
  Averages averages;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!include(i)) continue;
    averages.exact += scores[i].exact;
    averages.f1 += scores[i].f1;
    ++averages.total;
  }
  const double total = static_cast<double>(std::max<std::size_t>(averages.total, 1));
  averages.exact = 100.0 * averages.exact / total;
  averages.f1 = 100.0 * averages.f1 / total;
  return averages;
}

Interval middle_95_percent(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {values[kResamples / 40], values[kResamples - 1 - kResamples / 40]};
}

void bootstrap(const std::vector<AnswerScore>& scores, Evaluation& evaluation) {
  SplitMix random;
  std::vector<double> exact, f1;
  for (int resample = 0; resample < kResamples; ++resample) {
    AnswerScore sum;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const AnswerScore& score = scores[random.below(scores.size())];
      sum.exact += score.exact;
      sum.f1 += score.f1;
    }
    exact.push_back(100.0 * sum.exact / static_cast<double>(scores.size()));
    f1.push_back(100.0 * sum.f1 / static_cast<double>(scores.size()));
  }
  evaluation.exact_range = middle_95_percent(std::move(exact));
  evaluation.f1_range = middle_95_percent(std::move(f1));
}

double ratio(double part, double whole) {
  return whole > 0 ? 100.0 * part / whole : 0;
}

void judge_no_answer(const SquadData& data, const std::vector<std::string>& answers,
                     Evaluation& evaluation) {
  double said = 0, meant = 0, both = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const bool empty = answers[i].empty(), impossible = data.questions[i].answers.empty();
    said += empty;
    meant += impossible;
    both += empty && impossible;
  }
  evaluation.no_answer_precision = ratio(both, said);
  evaluation.no_answer_recall = ratio(both, meant);
  evaluation.no_answer_f1 = ratio(2 * both, said + meant);
}

}  // namespace

Evaluation evaluate(const SquadData& data, const std::vector<std::string>& answers) {
  std::vector<AnswerScore> scores;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    scores.push_back(score_answer(answers[i], data.questions[i].answers, data.v2));
  }
  Evaluation evaluation;
  if (scores.empty()) return evaluation;
  const auto has_answer = [&](std::size_t i) { return !data.questions[i].answers.empty(); };
  evaluation.all = average(scores, [](std::size_t) { return true; });
  evaluation.has_answer = average(scores, has_answer);
  evaluation.no_answer = average(scores, [&](std::size_t i) { return !has_answer(i); });
  bootstrap(scores, evaluation);
  judge_no_answer(data, answers, evaluation);
  return evaluation;
}

SquadAnswers answer_squad(const SquadData& data, const Parameters& parameters, const Submit& submit,
                          const std::function<void(std::size_t)>& progress) {
  SquadAnswers answered;
  std::size_t next = 0;
  InOrder run;
  run.submit = submit;
  run.ready = [] { return true; };
  run.next = [&]() -> std::optional<QuestionLine> {
    if (next == data.questions.size()) return std::nullopt;
    const SquadQuestion& from = data.questions[next++];
    Question question;
    question.question = from.question;
    question.context = data.contexts[from.context];
    question.parameters = parameters;
    return QuestionLine{from.id, std::move(question)};
  };
  run.emit = [&](const std::string& id, const Outcome& outcome) {
    const auto* error = std::get_if<Error>(&outcome);
    const auto* result = std::get_if<Result>(&outcome);
    if (error != nullptr && answered.errors++ == 0) {
      answered.first_error = "question " + id + ": " + error->what();
    }
    const bool none = result == nullptr || result->answers.empty();
    answered.answers.push_back(none ? "" : result->answers.front().answer);
    if (progress) progress(answered.answers.size());
  };
  run_in_order(run);
  return answered;
}

}  // namespace lambert
