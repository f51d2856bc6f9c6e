#include "eval/in_order.h"

#include <gtest/gtest.h>

#include <new>

namespace lambert {
namespace {

// Gives questions "0", "1", ... and answers with their text, noting what happens.
struct Fake {
  std::size_t total = 0, given = 0, in_flight = 0, most_in_flight = 0;
  std::vector<std::string> ids, outcomes;
  InOrder run;

  explicit Fake(std::size_t questions) : total(questions) {
    run.ready = [] { return true; };
    run.next = [this]() -> std::optional<QuestionLine> {
      if (given == total) return std::nullopt;
      Question question;
      question.question = std::to_string(given);
      question.context = std::string(10, 'c');
      return QuestionLine{std::to_string(given++), question};
    };
    run.submit = [this](Question question) -> Wait {
      most_in_flight = std::max(most_in_flight, ++in_flight);
      return [this, question] {
        --in_flight;
        Result result;
        result.answers.push_back({question.question, 1, 0, 1});
        return result;
      };
    };
    run.emit = [this](const std::string& id, const Outcome& outcome) {
      ids.push_back(id);
      const auto* error = std::get_if<Error>(&outcome);
      outcomes.push_back(error ? error->what() : std::get<Result>(outcome).answers[0].answer);
    };
  }
};

TEST(InOrder, ResultsComeInTheOrderOfTheQuestions) {
  Fake fake(100);
  fake.run.limits.questions = 7;
  run_in_order(fake.run);
  ASSERT_EQ(fake.ids.size(), 100U);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(fake.ids[i], std::to_string(i));
  EXPECT_EQ(fake.outcomes, fake.ids);
  EXPECT_EQ(fake.most_in_flight, 7U);
}

TEST(InOrder, BytesInFlightAreLimitedButOneQuestionAlwaysGoes) {
  Fake fake(20);
  fake.run.limits.text_bytes = 25;  // 11 each: a third is started while 22 are in flight
  run_in_order(fake.run);
  EXPECT_EQ(fake.most_in_flight, 3U);
  Fake tight(5);
  tight.run.limits.text_bytes = 0;
  run_in_order(tight.run);
  EXPECT_EQ(tight.ids.size(), 5U);
  EXPECT_EQ(tight.most_in_flight, 1U);
}

TEST(InOrder, ResultsAreGivenBeforeWaitingForMoreInput) {
  Fake fake(5);
  fake.run.ready = [] { return false; };
  run_in_order(fake.run);
  EXPECT_EQ(fake.ids.size(), 5U);
  EXPECT_EQ(fake.most_in_flight, 1U);
}

TEST(InOrder, WhatAQuestionThrowsIsItsOutcome) {
  Fake fake(6);
  const Submit good = fake.run.submit;
  fake.run.submit = [&](Question question) -> Wait {
    if (question.question == "1") throw Error(ErrorCode::kInvalidInput, "at submit");
    if (question.question == "2") return []() -> Result { throw Error(ErrorCode::kIo, "at wait"); };
    if (question.question == "3") throw std::bad_alloc();
    if (question.question == "4") return []() -> Result { throw std::bad_alloc(); };
    return good(std::move(question));
  };
  run_in_order(fake.run);
  EXPECT_EQ(fake.ids, (std::vector<std::string>{"0", "1", "2", "3", "4", "5"}));
  EXPECT_EQ(fake.outcomes[0], "0");
  EXPECT_EQ(fake.outcomes[1], "at submit");
  EXPECT_EQ(fake.outcomes[2], "at wait");
  EXPECT_EQ(fake.outcomes[3], "not enough memory for this question");
  EXPECT_EQ(fake.outcomes[4], fake.outcomes[3]);
  EXPECT_EQ(fake.outcomes[5], "5");
}

TEST(InOrder, AFailingSinkEndsTheRun) {
  Fake fake(10);
  fake.run.limits.questions = 3;
  std::size_t emitted = 0;
  fake.run.emit = [&](const std::string&, const Outcome&) {
    if (++emitted == 2) throw Error(ErrorCode::kIo, "disk full");
  };
  EXPECT_THROW(run_in_order(fake.run), Error);
  EXPECT_EQ(emitted, 2U);
  EXPECT_LE(fake.given, 5U);
}

}  // namespace
}  // namespace lambert
