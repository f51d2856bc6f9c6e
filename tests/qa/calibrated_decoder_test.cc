#include "qa/calibrated_decoder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "decoder_fixture.h"

namespace lambert::test {
namespace {

double expected_score(double logit) {
  return 1 / (1 + std::exp(-0.1 * logit));
}

TEST(CalibratedDecoderTest, ScoresDoNotDependOnOtherSpans) {
  const PlainContext context("a b c d");
  const PlainWindow one = peak(0, 2, 0, 4), other = peak(2, 2, 1, 6);
  const ResolvedParameters parameters = parameters_of(Mode::kCalibrated, 2);
  const Result both = decode(parameters, context, {one, other});
  ASSERT_EQ(texts_of(both), (Texts{"d", "a"}));
  EXPECT_NEAR(both.answers[0].score, expected_score(12), 1e-6);
  EXPECT_NEAR(both.answers[1].score, expected_score(8), 1e-6);
  EXPECT_EQ(decode(parameters, context, {one}).answers.at(0).score, both.answers[1].score);
}

TEST(CalibratedDecoderTest, OfOverlappingAnswersTheBestStays) {
  const PlainContext context("long red house");
  PlainWindow window(0, 3);
  window.start_of(0) = 5;
  window.start_of(1) = 6;
  window.end_of(1) = 5;
  window.end_of(2) = 4;
  const Result result = decode(parameters_of(Mode::kCalibrated, 2), context, {window});
  ASSERT_EQ(texts_of(result).at(0), "red");
  EXPECT_NE(texts_of(result).at(1).find_first_of("lh"), std::string::npos);
  EXPECT_EQ(texts_of(result).at(1).find("red"), std::string::npos);
}

TEST(CalibratedDecoderTest, AnswersThatTouchDoNotOverlap) {
  const PlainContext context("a##b");
  PlainWindow window(0, 2, -1);
  window.start_of(0) = window.end_of(0) = 2;
  window.start_of(1) = window.end_of(1) = 2.5F;
  EXPECT_EQ(texts_of(decode(parameters_of(Mode::kCalibrated, 3), context, {window})),
            (Texts{"b", "a"}));
}

TEST(CalibratedDecoderTest, SpanSeenByTwoWindowsIsOneAnswer) {
  const PlainContext context("a b");
  const Result result =
      decode(parameters_of(Mode::kCalibrated, 5), context, {peak(0, 1, 0, 3), peak(0, 1, 0, 4)});
  ASSERT_EQ(texts_of(result), (Texts{"a"}));
  EXPECT_NEAR(result.answers[0].score, expected_score(8), 1e-6);
}

TEST(CalibratedDecoderTest, NoAnswerIsTheChanceThatAllAreWrong) {
  const PlainContext context("a b");
  const PlainWindow one = peak(0, 1, 0, -4), other = peak(1, 1, 0, -5);
  ResolvedParameters parameters = parameters_of(Mode::kCalibrated, 2);
  const double none = (1 - expected_score(-8)) * (1 - expected_score(-10));
  Result result = decode(parameters, context, {one, other});
  EXPECT_EQ(texts_of(result), (Texts{"a", "b"}));
  EXPECT_NEAR(result.no_answer_score.value(), none, 1e-6);
  parameters.handle_impossible_answer = true;
  result = decode(parameters, context, {one, other});
  EXPECT_EQ(texts_of(result), (Texts{"", "a"}));
  EXPECT_NEAR(result.answers[0].score, none, 1e-6);
}

TEST(CalibratedDecoderTest, ScoreThresholdComesAfterNoAnswer) {
  const PlainContext context("a b");
  ResolvedParameters parameters = parameters_of(Mode::kCalibrated, 2);
  parameters.score_threshold = 0.5;
  const Result result = decode(parameters, context, {peak(0, 1, 0, 4), peak(1, 1, 0, -4)});
  EXPECT_EQ(texts_of(result), (Texts{"a"}));
  EXPECT_NEAR(result.no_answer_score.value(), (1 - expected_score(8)) * (1 - expected_score(-8)),
              1e-6);
}

TEST(CalibratedDecoderTest, AWindowGivesTwentySpansAtMost) {
  std::string marked = "t";
  for (int i = 1; i < 30; ++i) marked += " t";
  const PlainContext context(marked);
  ResolvedParameters parameters = parameters_of(Mode::kCalibrated, 100);
  parameters.max_answer_len = 1;
  EXPECT_EQ(decode(parameters, context, {PlainWindow(0, 30, 0)}).answers.size(), 20U);
}

TEST(CalibratedDecoderTest, AnswersHaveNoLengthLimitUnlessGiven) {
  std::string marked = "t";
  for (int i = 1; i < 60; ++i) marked += " t";
  const PlainContext context(marked);
  PlainWindow window(0, 60);
  window.start_of(0) = window.end_of(59) = 30;
  ResolvedParameters parameters = parameters_of(Mode::kCalibrated, 1);
  EXPECT_EQ(decode(parameters, context, {window}).answers.at(0).answer, context.text);
  parameters.max_answer_len = 59;
  EXPECT_NE(decode(parameters, context, {window}).answers.at(0).answer, context.text);
}

// The sigmoid of both is 1 in float32; the logits still tell which is better.
TEST(CalibratedDecoderTest, SaturatedScoresAreOrderedByLogit) {
  const PlainContext context("a b");
  const Result result = decode(parameters_of(Mode::kCalibrated, 2), context,
                               {peak(0, 1, 0, 200), peak(1, 1, 0, 300)});
  EXPECT_EQ(texts_of(result), (Texts{"b", "a"}));
  EXPECT_EQ(result.answers[0].score, 1.0);
  EXPECT_EQ(result.answers[1].score, 1.0);
}

TEST(CalibratedDecoderTest, WithoutContextThereIsNoAnswer) {
  const PlainContext context("");
  const Result result = decode(parameters_of(Mode::kCalibrated, 3), context, {PlainWindow(0, 0)});
  EXPECT_TRUE(result.answers.empty());
  EXPECT_EQ(result.no_answer_score.value(), 1.0);
}

TEST(CalibratedDecoderTest, NonFiniteLogitsDoNoHarm) {
  const PlainContext context("a b c");
  for (const float value : {NAN, INFINITY, -INFINITY}) {
    PlainWindow window(0, 3, 0);
    window.start_of(1) = value;
    EXPECT_LE(decode(parameters_of(Mode::kCalibrated, 2), context, {window}).answers.size(), 2U);
    EXPECT_LE(decode(parameters_of(Mode::kCalibrated, 2), context, {PlainWindow(0, 3, value)})
                  .answers.size(),
              2U);
  }
}

}  // namespace
}  // namespace lambert::test
