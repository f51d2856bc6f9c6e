#include "eval/squad_eval.h"

#include <gtest/gtest.h>

namespace lambert {
namespace {

SquadData small_data() {
  SquadData data;
  data.v2 = true;
  data.contexts = {"Ada wrote it in 1843."};
  data.questions = {{"\"a\"", "Who?", 0, {"Ada"}},
                    {"\"b\"", "When?", 0, {"in 1843", "1843"}},
                    {"\"c\"", "Why?", 0, {}},
                    {"\"d\"", "Where?", 0, {}}};
  return data;
}

TEST(SquadEval, FiguresOfAnsweredAndUnansweredQuestions) {
  const Evaluation e = evaluate(small_data(), {"Ada", "it in 1843", "", "Ada"});
  EXPECT_EQ(e.all.total, 4U);
  EXPECT_DOUBLE_EQ(e.all.exact, 50);
  EXPECT_DOUBLE_EQ(e.all.f1, 100.0 * (1 + 0.8 + 1) / 4);
  EXPECT_EQ(e.has_answer.total, 2U);
  EXPECT_DOUBLE_EQ(e.has_answer.exact, 50);
  EXPECT_DOUBLE_EQ(e.has_answer.f1, 90);
  EXPECT_EQ(e.no_answer.total, 2U);
  EXPECT_DOUBLE_EQ(e.no_answer.exact, 50);
  EXPECT_DOUBLE_EQ(e.no_answer_precision, 100);
  EXPECT_DOUBLE_EQ(e.no_answer_recall, 50);
  EXPECT_NEAR(e.no_answer_f1, 100.0 * 2 / 3, 1e-12);
}

TEST(SquadEval, ConfidenceIntervalsAreReproducibleAndNotWiderThanPossible) {
  const std::vector<std::string> answers = {"Ada", "it in 1843", "", "Ada"};
  const Evaluation first = evaluate(small_data(), answers);
  const Evaluation second = evaluate(small_data(), answers);
  EXPECT_EQ(first.f1_range.low, second.f1_range.low);
  EXPECT_EQ(first.f1_range.high, second.f1_range.high);
  EXPECT_EQ(first.exact_range.low, 0);  // 4 questions: 2.5 % of resamples have none right
  EXPECT_EQ(first.exact_range.high, 100);
  const Evaluation all_right = evaluate(small_data(), {"Ada", "1843", "", ""});
  EXPECT_EQ(all_right.exact_range.low, 100);
  EXPECT_EQ(all_right.exact_range.high, 100);
}

TEST(SquadEval, NothingToEvaluateGivesZeros) {
  const Evaluation e = evaluate(SquadData{}, {});
  EXPECT_EQ(e.all.total, 0U);
  EXPECT_EQ(e.all.f1, 0);
}

TEST(SquadEval, ErrorsBecomeEmptyAnswersAndAreCounted) {
  const Submit submit = [](Question question) -> Wait {
    if (question.question == "Why?") throw Error(ErrorCode::kInvalidInput, "not why");
    return [question] {
      Result result;
      if (question.question != "Where?") result.answers.push_back({"Ada", 1, 0, 3});
      return result;
    };
  };
  std::size_t calls = 0;
  const SquadAnswers answered =
      answer_squad(small_data(), {}, submit, [&](std::size_t done) { EXPECT_EQ(done, ++calls); });
  EXPECT_EQ(answered.answers, (std::vector<std::string>{"Ada", "Ada", "", ""}));
  EXPECT_EQ(answered.errors, 1U);
  EXPECT_EQ(answered.first_error, "question \"c\": not why");
  EXPECT_EQ(calls, 4U);
}

}  // namespace
}  // namespace lambert
