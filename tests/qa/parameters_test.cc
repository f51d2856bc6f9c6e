#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "qa/windows.h"

namespace lambert::test {
namespace {

template <typename Set>
Parameters made(const Set& set) {
  Parameters parameters;
  set(parameters);
  return parameters;
}

template <typename Set>
ResolvedParameters resolved(const Set& set) {
  return resolve(made(set), std::nullopt, 512);
}

// The message of the kInvalidArgument that resolve() throws.
template <typename Set>
std::string refused(const Set& set) {
  try {
    resolved(set);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.what();
  }
  return "accepted";
}

TEST(ParametersTest, DefaultsOfTheModes) {
  const ResolvedParameters hf = resolved([](Parameters&) {});
  EXPECT_EQ(hf.top_k, 1U);
  EXPECT_EQ(hf.max_seq_len, 384U);
  EXPECT_EQ(hf.doc_stride, 128U);
  EXPECT_EQ(hf.max_answer_len, 15U);
  const ResolvedParameters squad = resolved([](Parameters& p) { p.mode = Mode::kSquad; });
  EXPECT_EQ(squad.max_answer_len, 30U);
  EXPECT_EQ(squad.n_best_size, 20U);
  EXPECT_EQ(squad.max_question_len, 64U);
  const ResolvedParameters calibrated = resolved([](Parameters& p) { p.mode = Mode::kCalibrated; });
  EXPECT_EQ(calibrated.max_answer_len, 384U);  // no limit but the window
  EXPECT_FALSE(calibrated.score_threshold.has_value());
}

TEST(ParametersTest, MaxSeqLenFollowsTokenizerAndModel) {
  EXPECT_EQ(resolve({}, 256, 512).max_seq_len, 256U);
  EXPECT_EQ(resolve({}, 512, 512).max_seq_len, 384U);
  EXPECT_EQ(resolve({}, std::nullopt, 128).max_seq_len, 128U);
  EXPECT_EQ(resolve({}, std::numeric_limits<std::size_t>::max(), 4096).max_seq_len, 384U);
  EXPECT_EQ(resolve(made([](Parameters& p) { p.max_seq_len = 512; }), 256, 512).max_seq_len, 512U);
}

TEST(ParametersTest, DocStrideIsAtMostHalfAWindowUnlessGiven) {
  EXPECT_EQ(resolved([](Parameters& p) { p.max_seq_len = 100; }).doc_stride, 50U);
  EXPECT_EQ(resolved([](Parameters& p) { p.max_seq_len = 101; }).doc_stride, 50U);
  EXPECT_EQ(resolved([](Parameters& p) { p.max_seq_len = 512; }).doc_stride, 128U);
  EXPECT_EQ(resolved([](Parameters& p) {
              p.max_seq_len = 100;
              p.doc_stride = 0;
            }).doc_stride,
            0U);
  EXPECT_EQ(resolved([](Parameters& p) {
              p.max_seq_len = 100;
              p.doc_stride = 100;
            }).doc_stride,
            100U);
}

TEST(ParametersTest, ValuesOutOfRangeAreNamedWithTheRange) {
  EXPECT_EQ(refused([](Parameters& p) { p.top_k = 0; }), "top_k is 0, but must be from 1 to 1000");
  EXPECT_EQ(refused([](Parameters& p) { p.top_k = std::numeric_limits<std::int64_t>::max(); }),
            "top_k is 9223372036854775807, but must be from 1 to 1000");
  EXPECT_EQ(refused([](Parameters& p) { p.max_seq_len = 513; }),
            "max_seq_len is 513, but must be from 1 to 512, the positions of the model");
  EXPECT_EQ(refused([](Parameters& p) { p.max_seq_len = 0; }),
            "max_seq_len is 0, but must be from 1 to 512, the positions of the model");
  EXPECT_EQ(refused([](Parameters& p) {
              p.max_seq_len = 64;
              p.doc_stride = 65;
            }),
            "doc_stride is 65, but must be from 0 to 64, the value of max_seq_len");
  EXPECT_EQ(refused([](Parameters& p) { p.doc_stride = -1; }),
            "doc_stride is -1, but must be from 0 to 384, the value of max_seq_len");
  EXPECT_EQ(refused([](Parameters& p) { p.max_answer_len = 0; }),
            "max_answer_len is 0, but must be at least 1");
  EXPECT_EQ(refused([](Parameters& p) {
              p.mode = Mode::kSquad;
              p.n_best_size = 0;
            }),
            "n_best_size is 0, but must be from 1 to 1000");
  EXPECT_EQ(refused([](Parameters& p) {
              p.mode = Mode::kSquad;
              p.max_question_len = 0;
            }),
            "max_question_len is 0, but must be at least 1");
  EXPECT_EQ(
      refused([](Parameters& p) { p.score_threshold = std::numeric_limits<double>::quiet_NaN(); }),
      "score_threshold is nan, but must be a finite number");
  EXPECT_EQ(refused([](Parameters& p) {
              p.mode = Mode::kSquad;
              p.null_score_diff_threshold = std::numeric_limits<double>::infinity();
            }),
            "null_score_diff_threshold is inf, but must be a finite number");
}

TEST(ParametersTest, ParametersOfOtherModesAreIgnored) {
  EXPECT_EQ(refused([](Parameters& p) {
              p.max_question_len = -5;
              p.n_best_size = 0;
            }),
            "accepted");
  EXPECT_EQ(refused([](Parameters& p) {
              p.mode = Mode::kCalibrated;
              p.n_best_size = 0;
            }),
            "accepted");
}

}  // namespace
}  // namespace lambert::test
