#include "wire/question_line.h"

#include <gtest/gtest.h>

namespace lambert {
namespace {

QuestionLine read(std::string_view line, const Parameters& defaults = {}) {
  return read_question_line(line, 12, defaults, 1 << 20);
}

Question question_of(std::string_view line, const Parameters& defaults = {}) {
  return std::get<Question>(read(line, defaults).question);
}

void expect_error(std::string_view line, ErrorCode code, std::string_view part,
                  std::string_view id = "12") {
  const QuestionLine result = read(line);
  EXPECT_EQ(result.id, id) << line;
  const auto* error = std::get_if<Error>(&result.question);
  ASSERT_NE(error, nullptr) << line;
  EXPECT_EQ(error->code(), code) << error->what();
  EXPECT_NE(std::string(error->what()).find(part), std::string::npos) << error->what();
  EXPECT_EQ(std::string(error->what()).find("line 12: "), 0U) << error->what();
}

TEST(QuestionLine, ReadsTextAndKeepsTheDefaults) {
  Parameters defaults;
  defaults.top_k = 4;
  defaults.doc_stride = 17;
  const Question question =
      question_of(R"({"id":"q","question":"Who?","context":"Äda.\u0000"})", defaults);
  EXPECT_EQ(question.question, "Who?");
  EXPECT_EQ(question.context, std::string("Äda.\0", 6));
  EXPECT_EQ(question.parameters.top_k, 4);
  EXPECT_EQ(question.parameters.doc_stride, 17);
}

TEST(QuestionLine, EveryParameterOverridesItsDefault) {
  const Parameters p =
      question_of(R"({"question":"a","context":"b","mode":"squad","top_k":2,"max_seq_len":3,
        "doc_stride":4,"max_answer_len":5,"max_question_len":6,"handle_impossible_answer":true,
        "align_to_words":false,"n_best_size":7,"null_score_diff_threshold":-1,
        "score_threshold":0.25,"offset_type":"utf16"})")
          .parameters;
  EXPECT_EQ(p.mode, Mode::kSquad);
  EXPECT_EQ(p.top_k, 2);
  EXPECT_EQ(p.max_seq_len, 3);
  EXPECT_EQ(p.doc_stride, 4);
  EXPECT_EQ(p.max_answer_len, 5);
  EXPECT_EQ(p.max_question_len, 6);
  EXPECT_TRUE(p.handle_impossible_answer);
  EXPECT_FALSE(p.align_to_words);
  EXPECT_EQ(p.n_best_size, 7);
  EXPECT_EQ(p.null_score_diff_threshold, -1.0);
  EXPECT_EQ(p.score_threshold, 0.25);
  EXPECT_EQ(p.offset_type, OffsetType::kUtf16);
}

TEST(QuestionLine, TopkIsAnAliasThatTopKBeats) {
  EXPECT_EQ(question_of(R"({"question":"a","context":"b","topk":3})").parameters.top_k, 3);
  EXPECT_EQ(question_of(R"({"question":"a","context":"b","top_k":5,"topk":3})").parameters.top_k,
            5);
}

// It "must be an integer, found 3".
TEST(QuestionLine, WholeNumbersMayBeWrittenWithAFraction) {
  const auto top_k = [](const std::string& number) {
    return question_of(R"({"question":"a","context":"b","top_k":)" + number + "}").parameters.top_k;
  };
  EXPECT_EQ(top_k("3.0"), 3);
  EXPECT_EQ(top_k("-2e2"), -200);
  for (const std::string number : {"1e30", "9223372036854775808", "3.5", "1e999"}) {
    expect_error(R"({"question":"a","context":"b","top_k":)" + number + "}",
                 ErrorCode::kInvalidArgument, "\"top_k\" must be an integer");
  }
}

TEST(QuestionLine, NullMeansAbsentAndOtherNamesAreIgnored) {
  const Question question = question_of(
      R"({"id":null,"question":"a","context":"b","top_k":null,"mode":null,"more":[{"x":1}]})");
  EXPECT_EQ(question.parameters.top_k, 1);
  EXPECT_EQ(read(R"({"id":null,"question":"a","context":"b"})").id, "12");
}

TEST(QuestionLine, IdsAreStringsOrNumbers) {
  EXPECT_EQ(read(R"({"id":"a\nb","question":"a","context":"b"})").id, R"("a\nb")");
  EXPECT_EQ(read(R"({"id":-3,"question":"a","context":"b"})").id, "-3");
  EXPECT_EQ(read(R"({"id":1.0,"question":"a","context":"b"})").id, "1.0");
  EXPECT_EQ(read(R"({"id":18446744073709551615,"question":"","context":"b"})").id,
            "18446744073709551615");
  EXPECT_EQ(read(R"({"question":"a","context":"b"})").id, "12");
  expect_error(R"({"id":true,"question":"a","context":"b"})", ErrorCode::kInvalidInput, "\"id\"");
  expect_error(R"({"id":[1],"question":"a","context":"b"})", ErrorCode::kInvalidInput, "an array");
}

TEST(QuestionLine, NumbersAsIdsComeBackDigitForDigit) {
  const char* line = R"({"x":{"id":4},"y":"\"id\":5","z":"id", "id" : 0.30000000000000001e-5 ,)"
                     R"("question":"id","context":"b"})";
  EXPECT_EQ(read(line).id, "0.30000000000000001e-5");
  EXPECT_EQ(read(R"({"id":1.5,"id":123456789012345678901234567890,"context":"b"})").id,
            "123456789012345678901234567890");
}

TEST(QuestionLine, DamageIsReportedWithTheIdWhereItCouldBeRead) {
  expect_error(R"({"id":"x","question":"a"})", ErrorCode::kInvalidInput, "\"context\" is missing",
               "\"x\"");
  expect_error(R"({"id":"x","question":null,"context":"b"})", ErrorCode::kInvalidInput,
               "\"question\" is missing", "\"x\"");
  expect_error(R"({"id":"x","question":3,"context":"b"})", ErrorCode::kInvalidInput, "a string",
               "\"x\"");
  expect_error(R"({"id":"x","question":"a","context":"b","top_k":"2"})",
               ErrorCode::kInvalidArgument, "\"top_k\" must be an integer", "\"x\"");
  expect_error(R"({"id":"x","question":"a","context":"b","top_k":1.5})",
               ErrorCode::kInvalidArgument, "an integer", "\"x\"");
  expect_error(R"({"id":"x","question":"a","context":"b","mode":"best"})",
               ErrorCode::kInvalidArgument, "hf, squad or calibrated", "\"x\"");
  expect_error(R"({"id":"x","question":"a","context":"b","offset_type":"bytes"})",
               ErrorCode::kInvalidArgument, "codepoint, utf8 or utf16", "\"x\"");
  expect_error(R"({"id":"x","question":"a","context":"b","align_to_words":1})",
               ErrorCode::kInvalidArgument, "true or false", "\"x\"");
  expect_error(R"({"id":"x","question":"a","context":"b","score_threshold":[]})",
               ErrorCode::kInvalidArgument, "a number", "\"x\"");
}

TEST(QuestionLine, WhatIsNoJsonObjectIsInvalidInput) {
  for (const char* line : {"", "{", "[]", "7", "nonsense", R"({"question":"a"} x)",
                           R"({"question":"\ud800","context":"b"})",
                           "{\"question\":\"\xFF\",\"context\":\"b\"}", "\xEF\xBB\xBF{}"}) {
    expect_error(line, ErrorCode::kInvalidInput, "line 12");
  }
  const std::string deep(100000, '[');
  expect_error(deep, ErrorCode::kInvalidInput, "line 12");
}

// It made the line an error that had lost its id.
TEST(QuestionLine, UnknownFieldsMayBeDeepOrTooLargeForADouble) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  const std::string rest = R"(,"id":"x","question":"a","context":"b"})";
  EXPECT_EQ(question_of(R"({"more":)" + deep + rest).question, "a");
  EXPECT_EQ(question_of(R"({"more":1e999)" + rest).question, "a");
  expect_error(R"({"score_threshold":1e999)" + rest, ErrorCode::kInvalidArgument,
               "\"score_threshold\" must be a number that a double can hold", "\"x\"");
  EXPECT_EQ(read(R"({"id":1e999,"question":"a","context":"b"})").id, "1e999");
}

TEST(QuestionLine, DamagedJsonKeepsItsId) {
  const auto id = [](const std::string& line) {
    const QuestionLine result = read(line);
    EXPECT_TRUE(std::holds_alternative<Error>(result.question)) << line;
    return result.id;
  };
  const std::string deep(1000, '[');
  EXPECT_EQ(id(R"({"id":"x","more":)" + deep), "\"x\"");
  EXPECT_EQ(id(R"({"more":)" + deep + std::string(1000, ']') + R"(,"id":7})"), "7");
  EXPECT_EQ(id(R"({"id":1.50,"question":"\ud800"})"), "1.50");
  EXPECT_EQ(id("{\"question\":\"\xFF\",\"id\":\"a\\n\"}"), "\"a\\n\"");
  EXPECT_EQ(id(R"({"id":"x"} y)"), "\"x\"");
  for (const char* line :
       {R"({"id":"x)", R"({"id":)", R"({"id")", R"({"id":"\ud800"})", R"({"id":--1})",
        R"({"id":true,})", R"({"a":{"id":1},})", R"(["id":1])", R"(x {"id":1})", "{\"\\"}) {
    EXPECT_EQ(id(line), "12") << line;
  }
}

TEST(QuestionLine, NoAlignToWordsIsTheOptionsName) {
  const auto align = [](const std::string& fields) {
    return question_of(R"({"question":"a","context":"b",)" + fields + "}")
        .parameters.align_to_words;
  };
  EXPECT_FALSE(align(R"("no_align_to_words":true)"));
  EXPECT_TRUE(align(R"("no_align_to_words":false)"));
  EXPECT_FALSE(align(R"("align_to_words":true,"no_align_to_words":true)"));
  expect_error(R"({"question":"a","context":"b","no_align_to_words":1})",
               ErrorCode::kInvalidArgument, "true or false");
}

TEST(QuestionLine, LongLinesExceedTheLimit) {
  const std::string line(101, ' ');
  const QuestionLine result = read_question_line(line, 3, {}, 100);
  EXPECT_EQ(std::get<Error>(result.question).code(), ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace lambert
