#include "qa/squad_decoder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "decoder_fixture.h"

namespace lambert::test {
namespace {

TEST(SquadDecoderTest, ScoresAreTheSoftmaxOverThePredictionsOfAllWindows) {
  const PlainContext context("a b c d");
  ResolvedParameters parameters = parameters_of(Mode::kSquad, 2);
  const Result result =
      decode(parameters, context, {peak(0, 2, 0, 1), peak(2, 2, 1, 1 + std::log(3.0F) / 2)});
  ASSERT_EQ(texts_of(result), (Texts{"d", "a"}));
  EXPECT_NEAR(result.answers[0].score, 0.75, 1e-6);
  EXPECT_NEAR(result.answers[1].score, 0.25, 1e-6);
  EXPECT_EQ(result.answers[0].start, 6U);
  EXPECT_FALSE(result.no_answer_score.has_value());
}

TEST(SquadDecoderTest, SpanSeenByTwoWindowsIsTwoPredictions) {
  const PlainContext context("a b");
  const Result result =
      decode(parameters_of(Mode::kSquad, 2), context, {peak(0, 2, 0, 3), peak(0, 2, 0, 3)});
  ASSERT_EQ(texts_of(result), (Texts{"a", "a"}));
  EXPECT_NEAR(result.answers[0].score, 0.5, 1e-6);
}

TEST(SquadDecoderTest, OnlyTheBestRowsArePaired) {
  const PlainContext context("a b c");
  PlainWindow window(0, 3, 0);
  window.start_of(2) = 1;  // the best start is behind the best end
  window.end_of(0) = 1;
  ResolvedParameters parameters = parameters_of(Mode::kSquad, 5);
  parameters.n_best_size = 1;
  EXPECT_EQ(texts_of(decode(parameters, context, {window})), Texts{});
  parameters.n_best_size = 2;
  EXPECT_EQ(texts_of(decode(parameters, context, {window})), (Texts{"a", "a b"}));
}

TEST(SquadDecoderTest, FirstRowCompetesForThePlaces) {
  const PlainContext context("a b");
  PlainWindow window(0, 2, 0);
  window.start[0] = 9;
  ResolvedParameters parameters = parameters_of(Mode::kSquad, 5);
  parameters.n_best_size = 1;
  EXPECT_EQ(texts_of(decode(parameters, context, {window})), Texts{});
}

TEST(SquadDecoderTest, ThresholdDecidesBetweenNoAnswerAndTheBest) {
  const PlainContext context("a b");
  PlainWindow window = peak(0, 2, 0, 1);
  window.start[0] = window.end[0] = 1.5F;  // the null score is 3, that of the best answer 2
  ResolvedParameters parameters = parameters_of(Mode::kSquad, 2);
  parameters.handle_impossible_answer = true;
  const double null = 1 / (1 + std::exp(-1.0));
  Result result = decode(parameters, context, {window});
  ASSERT_EQ(texts_of(result), (Texts{"", "a"}));
  EXPECT_NEAR(result.answers[0].score, null, 1e-6);
  EXPECT_NEAR(result.no_answer_score.value(), null, 1e-6);
  parameters.null_score_diff_threshold = 1;  // must be exceeded
  result = decode(parameters, context, {window});
  EXPECT_EQ(texts_of(result), (Texts{"a", ""}));
  EXPECT_NEAR(result.answers[0].score, 1 - null, 1e-6);
  parameters.null_score_diff_threshold = 0.99;
  EXPECT_EQ(texts_of(decode(parameters, context, {window})), (Texts{"", "a"}));
}

TEST(SquadDecoderTest, NullScoreIsTheLeastOfTheWindows) {
  const PlainContext context("a b c d");
  PlainWindow high = peak(0, 2, 0, 1), low = peak(2, 2, 0, -2);
  high.start[0] = high.end[0] = 8;
  low.start[0] = low.end[0] = 0.5F;
  ResolvedParameters parameters = parameters_of(Mode::kSquad, 1);
  parameters.handle_impossible_answer = true;
  EXPECT_EQ(texts_of(decode(parameters, context, {high, low})), (Texts{"a"}));
  EXPECT_EQ(texts_of(decode(parameters, context, {low, high})), (Texts{"a"}));
  EXPECT_EQ(texts_of(decode(parameters, context, {high})), (Texts{""}));
}

// The null prediction keeps its place beside the n best however low its score.
TEST(SquadDecoderTest, NullPredictionIsNeverCut) {
  const PlainContext context("a b");
  ResolvedParameters parameters = parameters_of(Mode::kSquad, 5);
  parameters.handle_impossible_answer = true;
  parameters.n_best_size = 1;
  const Result result = decode(parameters, context, {peak(0, 2, 1, 4)});
  ASSERT_EQ(texts_of(result), (Texts{"b", ""}));
  EXPECT_EQ(result.no_answer_score.value(), result.answers[1].score);
}

TEST(SquadDecoderTest, WithoutPredictionsOnlyNoAnswerIsLeft) {
  const PlainContext context("");
  ResolvedParameters parameters = parameters_of(Mode::kSquad, 3);
  EXPECT_EQ(texts_of(decode(parameters, context, {PlainWindow(0, 0)})), Texts{});
  parameters.handle_impossible_answer = true;
  const Result result = decode(parameters, context, {PlainWindow(0, 0)});
  EXPECT_EQ(texts_of(result), (Texts{""}));
  EXPECT_EQ(result.answers[0].score, 1.0);
}

TEST(SquadDecoderTest, AnswersAreTokensAndMaxAnswerLenCountsThem) {
  const PlainContext context("un##believ##able story");
  PlainWindow window(0, 4);
  window.start_of(1) = window.end_of(3) = 5;
  ResolvedParameters parameters = parameters_of(Mode::kSquad, 1);
  EXPECT_EQ(texts_of(decode(parameters, context, {window})), (Texts{"believable story"}));
  parameters.max_answer_len = 2;
  EXPECT_NE(texts_of(decode(parameters, context, {window})), (Texts{"believable story"}));
}

TEST(SquadDecoderTest, ResultMayBeAskedForAfterEachWindow) {
  const PlainContext context("a b");
  const auto decoder = make_decoder(parameters_of(Mode::kSquad, 2), context.text, context.encoding);
  EXPECT_TRUE(decoder->result().answers.empty());
  peak(0, 1, 0, 1).add_to(*decoder);
  EXPECT_EQ(texts_of(decoder->result()), (Texts{"a"}));
  peak(1, 1, 0, 2).add_to(*decoder);
  EXPECT_EQ(texts_of(decoder->result()), (Texts{"b", "a"}));
  EXPECT_EQ(texts_of(decoder->result()), (Texts{"b", "a"}));
}

TEST(SquadDecoderTest, NonFiniteLogitsDoNoHarm) {
  const PlainContext context("a b c");
  ResolvedParameters parameters = parameters_of(Mode::kSquad, 2);
  for (const bool impossible : {false, true}) {
    parameters.handle_impossible_answer = impossible;
    for (const float value : {NAN, INFINITY, -INFINITY}) {
      PlainWindow window(0, 3, 0), all(0, 3, value);
      window.start_of(1) = value;
      all.start[0] = value;
      EXPECT_LE(decode(parameters, context, {window}).answers.size(), 2U);
      EXPECT_LE(decode(parameters, context, {all, window}).answers.size(), 2U);
    }
  }
}

}  // namespace
}  // namespace lambert::test
