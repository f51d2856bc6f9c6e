#include "qa/hf_decoder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "decoder_fixture.h"

namespace lambert::test {
namespace {

// Two tokens with start probabilities 3/4, 1/4 and end probabilities 1/4, 3/4.
PlainWindow two_tokens() {
  PlainWindow window(0, 2);
  window.start_of(0) = window.end_of(1) = std::log(3.0F);
  window.start_of(1) = window.end_of(0) = 0;
  return window;
}

TEST(HfDecoderTest, ScoresAreProductsOfProbabilities) {
  const PlainContext context("red blue");
  const Result result = decode(parameters_of(Mode::kHf, 5), context, {two_tokens()});
  ASSERT_EQ(texts_of(result), (Texts{"red blue", "red", "blue"}));
  EXPECT_NEAR(result.answers[0].score, 9.0 / 16, 1e-6);
  EXPECT_NEAR(result.answers[1].score, 3.0 / 16, 1e-6);
  EXPECT_NEAR(result.answers[2].score, 3.0 / 16, 1e-6);
  EXPECT_EQ(result.answers[2].start, 4U);
  EXPECT_EQ(result.answers[2].end, 8U);
}

TEST(HfDecoderTest, EqualScoresAreOrderedByPlace) {
  const PlainContext context("a b c d");
  PlainWindow window(0, 4, 0);
  ResolvedParameters parameters = parameters_of(Mode::kHf, 3);
  parameters.align_to_words = false;
  EXPECT_EQ(texts_of(decode(parameters, context, {window})), (Texts{"a", "a b", "a b c"}));
}

// K' == 1: the first of the best spans.
TEST(HfDecoderTest, OneCandidateIsTheFirstOfTheBest) {
  const PlainContext context("a b c d");
  ResolvedParameters parameters = parameters_of(Mode::kHf, 1);
  parameters.align_to_words = false;
  EXPECT_EQ(texts_of(decode(parameters, context, {PlainWindow(0, 4, -0.0F)})), (Texts{"a"}));
  PlainWindow window(0, 4, 0);
  window.start_of(2) = 6;
  window.end_of(1) = 5;  // before the start
  EXPECT_EQ(texts_of(decode(parameters, context, {window})), (Texts{"c"}));
}

TEST(HfDecoderTest, MaxAnswerLenCountsTokens) {
  const PlainContext context("a b c d");
  PlainWindow window(0, 4);
  window.start_of(0) = window.end_of(3) = 9;
  ResolvedParameters parameters = parameters_of(Mode::kHf, 1);
  parameters.align_to_words = false;
  parameters.max_answer_len = 4;
  EXPECT_EQ(texts_of(decode(parameters, context, {window})), (Texts{"a b c d"}));
  parameters.max_answer_len = 3;
  EXPECT_NE(texts_of(decode(parameters, context, {window})), (Texts{"a b c d"}));
  parameters.max_answer_len = 1;
  for (const Answer& answer : decode(parameters, context, {window}).answers) {
    EXPECT_EQ(answer.answer.size(), 1U);
  }
}

TEST(HfDecoderTest, ClsTakesProbabilityButIsNoAnswer) {
  const PlainContext context("red blue");
  PlainWindow window = two_tokens();
  window.start[0] = window.end[0] = std::log(4.0F);  // as much as both tokens
  ResolvedParameters parameters = parameters_of(Mode::kHf, 4);
  Result result = decode(parameters, context, {window});
  ASSERT_EQ(texts_of(result), (Texts{"red blue", "red", "blue"}));
  EXPECT_NEAR(result.answers[0].score, 9.0 / 64, 1e-6);
  EXPECT_NEAR(result.no_answer_score.value(), 0.25, 1e-6);
  parameters.handle_impossible_answer = true;
  result = decode(parameters, context, {window});
  EXPECT_EQ(texts_of(result), (Texts{"", "red blue", "red", "blue"}));
  EXPECT_NEAR(result.answers[0].score, 0.25, 1e-6);
  EXPECT_EQ(result.answers[0].end, 0U);
  parameters.top_k = 2;
  EXPECT_EQ(texts_of(decode(parameters, context, {window})), (Texts{"", "red blue"}));
}

TEST(HfDecoderTest, NullScoreIsTheLeastOfTheWindows) {
  const PlainContext context("a b");
  PlainWindow sure(0, 1, 0), unsure(1, 1, 0);
  sure.start[0] = sure.end[0] = -30;
  unsure.start[0] = unsure.end[0] = 0;
  ResolvedParameters parameters = parameters_of(Mode::kHf, 1);
  parameters.handle_impossible_answer = true;
  const Result result = decode(parameters, context, {unsure, sure, unsure});
  EXPECT_NEAR(result.no_answer_score.value(), std::exp(-60.0), 1e-27);
  EXPECT_EQ(texts_of(result), (Texts{"a"}));
  EXPECT_EQ(texts_of(decode(parameters, context, {unsure})), (Texts{"b"}));  // 0.25 each, "" last
}

TEST(HfDecoderTest, WordsAreCompleted) {
  const PlainContext context("un##believ##able story");
  PlainWindow window(0, 4);
  window.start_of(1) = window.end_of(1) = 9;
  ResolvedParameters parameters = parameters_of(Mode::kHf, 1);
  EXPECT_EQ(texts_of(decode(parameters, context, {window})), (Texts{"unbelievable"}));
  parameters.align_to_words = false;
  EXPECT_EQ(texts_of(decode(parameters, context, {window})), (Texts{"believ"}));
}

// A word that the window's edge cuts is completed only as far as the window shows it.
TEST(HfDecoderTest, WordsAreClippedByTheWindow) {
  const PlainContext context("un##believ##able story");
  PlainWindow window(1, 1);
  window.start_of(0) = window.end_of(0) = 9;
  EXPECT_EQ(texts_of(decode(parameters_of(Mode::kHf, 1), context, {window})), (Texts{"believ"}));
}

TEST(HfDecoderTest, SameTextIsMergedWithTheFirstPlace) {
  const PlainContext context("Paris and PARIS or paris");
  PlainWindow first(0, 2), second(2, 3);
  first.start_of(0) = first.end_of(0) = 0;
  first.start_of(1) = first.end_of(1) = std::log(4.0F);
  second.start_of(0) = second.end_of(0) = std::log(3.0F);
  second.start_of(1) = second.end_of(1) = -50;
  second.start_of(2) = second.end_of(2) = 0;
  ResolvedParameters parameters = parameters_of(Mode::kHf, 1);
  const Result result = decode(parameters, context, {first, second});
  ASSERT_EQ(texts_of(result), (Texts{"Paris"}));
  EXPECT_EQ(result.answers[0].start, 0U);
  EXPECT_NEAR(result.answers[0].score, 1.0 / 25 + 9.0 / 16 + 1.0 / 16, 1e-6);
}

TEST(HfDecoderTest, MergedScoresMayExceedOne) {
  const PlainContext context("a");
  const PlainWindow window(0, 1);
  const Result result = decode(parameters_of(Mode::kHf, 1), context, {window, window, window});
  EXPECT_EQ(result.answers.at(0).score, 3.0);
}

TEST(HfDecoderTest, SpansWithoutProbabilityAreNoCandidates) {
  const PlainContext context("a b c");
  PlainWindow window(0, 3, -900);
  window.start_of(1) = window.end_of(1) = 0;
  EXPECT_EQ(texts_of(decode(parameters_of(Mode::kHf, 20), context, {window})), (Texts{"b"}));
}

TEST(HfDecoderTest, WithoutAnyCandidateTheAnswerIsEmptyWithScoreZero) {
  const PlainContext context("a b");
  PlainWindow window(0, 2, -900);
  window.start[0] = window.end[0] = 0;
  ResolvedParameters parameters = parameters_of(Mode::kHf, 3);
  Result result = decode(parameters, context, {window});
  EXPECT_EQ(texts_of(result), (Texts{""}));
  EXPECT_EQ(result.answers[0].score, 0.0);
  parameters.handle_impossible_answer = true;
  result = decode(parameters, context, {window});
  EXPECT_EQ(texts_of(result), (Texts{""}));
  EXPECT_EQ(result.answers[0].score, 1.0);
  const PlainContext empty("");
  EXPECT_EQ(texts_of(decode(parameters_of(Mode::kHf, 1), empty, {PlainWindow(0, 0)})), (Texts{""}));
}

// [CLS] typed in the question takes part in the softmax, but no answer begins or ends there.
TEST(HfDecoderTest, TypedClsInTheQuestionIsNoEdge) {
  const PlainContext context("red blue");
  PlainWindow window = two_tokens();
  window.window.allowed[1] = 1;
  window.start[1] = window.end[1] = std::log(4.0F);
  const Result result = decode(parameters_of(Mode::kHf, 1), context, {window});
  ASSERT_EQ(texts_of(result), (Texts{"red blue"}));
  EXPECT_NEAR(result.answers[0].score, 9.0 / 64, 1e-6);
}

TEST(HfDecoderTest, ScoreThresholdLeavesOutLowerScores) {
  const PlainContext context("red blue");
  ResolvedParameters parameters = parameters_of(Mode::kHf, 5);
  parameters.score_threshold = 0.5;
  EXPECT_EQ(texts_of(decode(parameters, context, {two_tokens()})), (Texts{"red blue"}));
  parameters.score_threshold = 0.6;
  EXPECT_EQ(texts_of(decode(parameters, context, {two_tokens()})), Texts{});
}

TEST(HfDecoderTest, ResultMayBeAskedForAfterEachWindow) {
  const PlainContext context("a b");
  const auto decoder = make_decoder(parameters_of(Mode::kHf, 2), context.text, context.encoding);
  EXPECT_TRUE(decoder->result().answers.empty());
  EXPECT_FALSE(decoder->result().no_answer_score.has_value());
  PlainWindow(0, 1).add_to(*decoder);
  EXPECT_EQ(texts_of(decoder->result()), (Texts{"a"}));
  PlainWindow(1, 1).add_to(*decoder);
  EXPECT_EQ(texts_of(decoder->result()), (Texts{"a", "b"}));
  EXPECT_EQ(texts_of(decoder->result()), (Texts{"a", "b"}));
}

TEST(HfDecoderTest, NonFiniteLogitsDoNoHarm) {
  const PlainContext context("a b c");
  for (const float value : {NAN, INFINITY, -INFINITY}) {
    PlainWindow window(0, 3, 0);
    window.start_of(1) = value;
    EXPECT_LE(decode(parameters_of(Mode::kHf, 2), context, {window}).answers.size(), 2U);
    EXPECT_LE(
        decode(parameters_of(Mode::kHf, 2), context, {PlainWindow(0, 3, value)}).answers.size(),
        2U);
  }
}

// Merging goes by a hash: many different texts and as many equal ones.
TEST(HfDecoderTest, ManyWindowsAreMergedByText) {
  std::string marked;
  for (int i = 0; i < 3000; ++i) {
    if (i > 0) marked += ' ';
    marked += std::to_string(i % 1000);
  }
  const PlainContext context(marked);
  ResolvedParameters parameters = parameters_of(Mode::kHf, 1000);
  parameters.max_answer_len = 1;
  std::vector<PlainWindow> windows;
  for (std::size_t i = 0; i < 3000; i += 10) windows.emplace_back(i, 10, 0);
  const Result result = decode(parameters, context, windows);
  ASSERT_EQ(result.answers.size(), 1000U);
  for (std::size_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(result.answers[i].answer, std::to_string(i));
    ASSERT_NEAR(result.answers[i].score, 0.03, 1e-6);
  }
}

}  // namespace
}  // namespace lambert::test
