// Texts and parameters that nobody means well with: each gives an answer that is in the text, or a
// lambert::Error that says what is wrong. memory_test.cc has what they cost.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "../sanitized.h"
#include "lambert/lambert.h"

namespace lambert {
namespace {

constexpr std::size_t kScale =
    LAMBERT_SANITIZED ? 20 : 1;  // long texts are that much shorter there

constexpr std::int64_t kPositions = 64;  // of the tiny model
constexpr Mode kModes[] = {Mode::kHf, Mode::kSquad, Mode::kCalibrated};

const Answerer& tiny() {
  static const Answerer instance(
      {.model = LAMBERT_SOURCE_DIR "/tests/model/data/tiny/bert_gelu", .threads = 1});
  return instance;
}

const Answerer& full() {
  static const Answerer instance(
      {.model = LAMBERT_SOURCE_DIR "/models/distilbert-minilm-squad", .threads = 2});
  return instance;
}

std::string repeat(const std::string& text, std::size_t times, const std::string& first = {}) {
  std::string repeated = first;
  repeated.reserve(first.size() + text.size() * times);
  for (std::size_t i = 0; i < times; ++i) repeated += text;
  return repeated;
}

Question with_utf8_offsets(Question question) {
  question.parameters.offset_type = OffsetType::kUtf8;
  return question;
}

// Asks, and checks that every answer is the part of the context that it says it is.
Result ask(const Answerer& answerer, const Question& asked) {
  const Question question = with_utf8_offsets(asked);
  Result result = answerer.ask(question);
  EXPECT_LE(result.answers.size(), static_cast<std::size_t>(question.parameters.top_k));
  EXPECT_EQ(result.windows_done, result.windows_total);
  for (const Answer& answer : result.answers) {
    EXPECT_TRUE(std::isfinite(answer.score));
    EXPECT_LE(answer.start, answer.end);
    EXPECT_LE(answer.end, question.context.size());
    if (answer.start > answer.end || answer.end > question.context.size()) continue;
    EXPECT_EQ(answer.answer, question.context.substr(answer.start, answer.end - answer.start));
  }
  return result;
}

// The code and message of the error that asking gives, or "answered".
std::pair<ErrorCode, std::string> error_of(const Answerer& answerer, const Question& question) {
  try {
    ask(answerer, question);
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {ErrorCode::kInternal, "answered"};
}

void expect_refused(const Question& question, ErrorCode code, const std::string& named) {
  const auto [found, message] = error_of(tiny(), question);
  EXPECT_EQ(found, code) << message;
  EXPECT_NE(message.find(named), std::string::npos) << message;
}

struct InvalidText {
  const char *bytes, *what;
  std::size_t offset;  // of the first byte of the bad sequence
};

constexpr InvalidText kInvalidTexts[] = {
    {"\x80", "continuation byte alone", 0},
    {"a\xBFz", "continuation byte alone", 1},
    {"ab\xC3", "two bytes, cut off", 2},
    {"ab\xC3z", "two bytes, the second not a continuation", 2},
    {"ab\xE2\x82", "three bytes, cut off", 2},
    {"\xE2\x28\xA1", "three bytes, the second not a continuation", 0},
    {"\xE2\x82z", "three bytes, the third not a continuation", 0},
    {"abc\xF0\x9F\x98", "four bytes, cut off", 3},
    {"\xF0\x9F\x98z", "four bytes, the fourth not a continuation", 0},
    {"\xC0\xAF", "overlong, two bytes", 0},
    {"\xC1\xBF", "overlong, two bytes", 0},
    {"\xE0\x80\xAF", "overlong, three bytes", 0},
    {"\xE0\x9F\xBF", "overlong, three bytes", 0},
    {"\xF0\x80\x80\xAF", "overlong, four bytes", 0},
    {"\xF0\x8F\xBF\xBF", "overlong, four bytes", 0},
    {"abcd\xED\xA0\x80", "high surrogate", 4},
    {"\xED\xBF\xBF", "low surrogate", 0},
    {"\xED\xA0\xBD\xED\xB8\x80", "surrogate pair", 0},
    {"\xF4\x90\x80\x80", "above U+10FFFF", 0},
    {"\xF5\x80\x80\x80", "byte F5", 0},
    {"\xF8\x88\x80\x80\x80", "five bytes", 0},
    {"\xFC\x84\x80\x80\x80\x80", "six bytes", 0},
    {"ok \xFE", "byte FE", 3},
    {"ok \xFF", "byte FF", 3}};

TEST(HostileText, InvalidUtf8OfEveryClassIsRefusedWithItsByte) {
  for (const InvalidText& text : kInvalidTexts) {
    for (const std::size_t lead : {std::size_t{0}, std::size_t{3}, std::size_t{4'000}}) {
      const std::string bytes = std::string(lead, 'x') + text.bytes;
      const std::string named = "at byte " + std::to_string(lead + text.offset);
      for (const bool in_question : {false, true}) {
        Question question{.question = "who?", .context = "it"};
        (in_question ? question.question : question.context) = bytes;
        const auto [code, message] = error_of(tiny(), question);
        EXPECT_EQ(code, ErrorCode::kInvalidInput) << text.what << ": " << message;
        EXPECT_TRUE(message.ends_with(named)) << text.what << ": " << message << ", " << named;
        EXPECT_TRUE(message.starts_with(in_question ? "question: " : "context: ")) << message;
      }
    }
  }
}

TEST(HostileText, EmptyTextsAreRefused) {
  expect_refused({.question = "", .context = "it"}, ErrorCode::kInvalidInput, "question");
  expect_refused({.question = "who?", .context = ""}, ErrorCode::kInvalidInput, "context");
}

// Texts that leave no token, or none of use, in all modes.
TEST(HostileText, TextsWithoutTokensHaveAnAnswerInTheText) {
  for (const Answerer* answerer : {&tiny(), &full()}) {
    for (const Mode mode : kModes) {
      for (const bool impossible : {false, true}) {
        for (const std::string& text :
             {std::string(" "), std::string(" \t\r\n \xE3\x80\x80\xC2\xA0"), std::string(3, '\0'),
              std::string("\xE2\x80\x8B"), std::string("\xEF\xBF\xBD"), std::string("\x1B\x7F"),
              std::string("\xCC\x81"), std::string("\xEF\xBB\xBF")}) {
          Question question{.question = "who?", .context = text};
          question.parameters.mode = mode;
          question.parameters.handle_impossible_answer = impossible;
          ask(*answerer, question);
          ask(*answerer, {.question = text, .context = "it", .parameters = question.parameters});
          ask(*answerer, {.question = text, .context = text, .parameters = question.parameters});
        }
      }
    }
  }
}

TEST(HostileText, NulBytesAreTextLikeAnyOther) {
  const std::string context = std::string("the\0notes", 9) + std::string(5, '\0') + "in 1843";
  for (const Mode mode : kModes) {
    Question question{.question = std::string("who\0?", 5), .context = context};
    question.parameters.mode = mode;
    EXPECT_EQ(ask(tiny(), question).answers.size(), 1U);
  }
}

TEST(HostileText, LongTextsOfOneKind) {
  const std::size_t million = 1'000'000 / kScale;
  const std::vector<std::pair<const char*, std::string>> contexts = {
      {"combining marks", repeat("\xCC\x81", million, "e")},
      {"combining marks of two classes", repeat("\xCC\x81\xCC\xA7", million / 2, "e")},
      {"a word of 10 MB", std::string(10 * million, 'w')},
      {"spaces", std::string(million, ' ')},
      {"spaces around a word", std::string(million, ' ') + "it" + std::string(million, ' ')},
      {"NUL bytes", std::string(million, '\0')},
      {"unknown emoji", repeat("\xF0\x9F\x98\x80", million)},
      {"zero width joiners", repeat("\xE2\x80\x8D", million)},
      {"dotted capital I, longer in lower case", repeat("\xC4\xB0", million)},
      {"Hangul, longer when decomposed", repeat("\xEA\xB0\x81", million)}};
  for (const auto& [what, context] : contexts) {
    SCOPED_TRACE(what);
    for (const Answerer* answerer : {&tiny(), &full()}) {
      const Result result = ask(*answerer, {.question = "who?", .context = context});
      EXPECT_LE(result.windows_total, 1U);
    }
  }
}

TEST(HostileText, ManyTokensInAllModes) {
  const std::size_t tokens = 20'000 / kScale;
  for (const Mode mode : kModes) {
    for (const std::string& text : {repeat("?", tokens), repeat("[SEP]", tokens),
                                    repeat("[CLS] ", tokens), repeat("[MASK]it", tokens / 2),
                                    repeat("\xE4\xB8\x80", tokens), repeat("it \n", tokens)}) {
      Question question{.question = "who?", .context = text};
      question.parameters.mode = mode;
      question.parameters.handle_impossible_answer = true;
      question.parameters.top_k = 3;
      const Result result = ask(tiny(), question);
      EXPECT_GT(result.windows_total, tokens / 64);
    }
  }
}

TEST(HostileText, SpecialTokensInTheQuestion) {
  for (const Answerer* answerer : {&tiny(), &full()}) {
    for (const Mode mode : kModes) {
      Question question{.question = "[CLS] [SEP] [SEP] [CLS]",
                        .context = "[SEP] [CLS] it [SEP] wrote [CLS] the notes [PAD] [UNK]"};
      question.parameters.mode = mode;
      question.parameters.top_k = 5;
      ask(*answerer, question);
    }
  }
}

TEST(HostileParameters, QuestionsLongerThanTheWindowAreRefusedOrCut) {
  Question question{.question = repeat("who ", 100), .context = "it"};
  expect_refused(question, ErrorCode::kInvalidInput, "max_seq_len");
  question.parameters.mode = Mode::kSquad;
  expect_refused(question, ErrorCode::kInvalidInput, "max_seq_len");  // 64 tokens are kept
  question.parameters.max_question_len = 10;
  EXPECT_EQ(ask(tiny(), question).answers.size(), 1U);
  question.question = repeat("w", 10'000'000 / kScale);
  EXPECT_EQ(ask(tiny(), question).answers.size(), 1U);
}

TEST(HostileParameters, AWindowOfOneContextToken) {
  const std::string context = repeat("it ", 500);
  for (const Mode mode : kModes) {
    Question question{.question = "who wrote the", .context = context};
    question.parameters.mode = mode;
    question.parameters.max_seq_len = 3 + 3 + 1;
    question.parameters.doc_stride = 0;
    EXPECT_EQ(ask(tiny(), question).windows_total, 500U);
    question.parameters.doc_stride = 1;
    expect_refused(question, ErrorCode::kInvalidArgument, "doc_stride");
    question.parameters.max_seq_len = 3 + 3;
    question.parameters.doc_stride = 0;
    expect_refused(question, ErrorCode::kInvalidInput, "max_seq_len");
  }
}

TEST(HostileParameters, StridesThatDoNotAdvanceAreRefused) {
  Question question{.question = "who wrote", .context = repeat("it ", 500)};
  for (const std::int64_t stride : {59, 60, 64}) {  // room for 59 tokens
    question.parameters.max_seq_len = kPositions;
    question.parameters.doc_stride = stride;
    expect_refused(question, ErrorCode::kInvalidArgument, "doc_stride");
  }
  question.parameters.doc_stride = 58;
  EXPECT_EQ(ask(tiny(), question).windows_total, 1 + (500U - 59U));
}

TEST(HostileParameters, ExtremeCountsAreLimitsOrErrors) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  for (const Mode mode : kModes) {
    Question question{.question = "who?", .context = "it"};
    question.parameters.mode = mode;
    question.parameters.top_k = 1000;
    EXPECT_EQ(ask(tiny(), question).answers.size(), 1U);
    for (const std::int64_t length : {std::int64_t{1}, kMost}) {
      question.parameters.max_answer_len = length;
      question.context = repeat("the notes ", 100);
      ask(tiny(), question);
    }
    const auto refused = [&](auto member, std::int64_t value, const char* name) {
      Question wrong = question;
      wrong.parameters.*member = value;
      expect_refused(wrong, ErrorCode::kInvalidArgument, name);
    };
    for (const std::int64_t value : {kLeast, std::int64_t{-1}, std::int64_t{0}, kMost}) {
      refused(&Parameters::top_k, value, "top_k");
      refused(&Parameters::max_seq_len, value, "max_seq_len");
      if (value != 0) refused(&Parameters::doc_stride, value, "doc_stride");
      if (value != kMost) refused(&Parameters::max_answer_len, value, "max_answer_len");
    }
  }
}

}  // namespace
}  // namespace lambert
