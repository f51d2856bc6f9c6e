// The public interface on the default model; scheduler_test.cc has what happens between questions.
#include <gtest/gtest.h>

#include <cstring>

#include "../code_of.h"
#include "kernels/kernels.h"
#include "lambert/lambert.h"

namespace lambert {
namespace {

const std::string kModel = LAMBERT_SOURCE_DIR "/models/distilbert-minilm-squad";

const char* const kContext =
    "Ada Lovelace wrote the first program in 1843 for the Analytical Engine of Charles Babbage. "
    "The engine was never built. Grace Hopper finished the first compiler in 1952 at Remington "
    "Rand in Philadelphia.";

const Answerer& answerer() {
  static const Answerer instance({.model = kModel, .threads = 2});
  return instance;
}

Question question() {
  return {.question = "Who wrote the first program?", .context = kContext};
}

TEST(Answerer, AnswersWithOffsetsIntoTheContext) {
  const Result result = answerer().ask(question());
  ASSERT_EQ(result.answers.size(), 1U);
  EXPECT_EQ(result.answers[0].answer, "Ada Lovelace");
  EXPECT_EQ(result.answers[0].start, 0U);
  EXPECT_EQ(result.answers[0].end, 12U);
  EXPECT_EQ(result.windows_done, 1U);
  EXPECT_EQ(result.windows_total, 1U);
  EXPECT_GT(result.tokens, 40U);
}

TEST(Answerer, LogitsHaveTheSameBitsOnEveryIsaAndForAnyThreads) {
  std::vector<WindowLogits> expected;
  for (const Kernels* table : all_kernels()) {
    if (!table->supported()) {
      std::printf("%s: NOT on this CPU\n", table->name);
      continue;
    }
    for (const unsigned threads : {1U, 3U}) {
      if (table == all_kernels().front() && threads > 1) continue;  // the reference is slow
      const Answerer one({.model = kModel, .threads = threads, .isa = table->name});
      EXPECT_EQ(one.info().isa, table->name);
      const auto logits = one.logits({.question = "Who?", .context = std::string(kContext, 90)});
      if (expected.empty()) expected = logits;
      ASSERT_EQ(logits.size(), 1U);
      EXPECT_EQ(logits[0].start, expected[0].start) << table->name << " " << threads;
      EXPECT_EQ(logits[0].end, expected[0].end) << table->name << " " << threads;
    }
  }
  EXPECT_GT(expected[0].context_end, expected[0].context_start);
}

TEST(Answerer, RefusesQuestionsThatCannotBeAsked) {
  const auto code = [](Question asked) {
    return code_of([&] { answerer().ask(std::move(asked)); });
  };
  EXPECT_EQ(code({.question = "", .context = "text"}), ErrorCode::kInvalidInput);
  EXPECT_EQ(code({.question = "Who?", .context = ""}), ErrorCode::kInvalidInput);
  EXPECT_EQ(code({.question = "Who?", .context = "a\xFFz"}), ErrorCode::kInvalidInput);
  Question asked = question();
  asked.parameters.top_k = 0;
  EXPECT_EQ(code(asked), ErrorCode::kInvalidArgument);
  asked = question();
  asked.parameters.max_seq_len = 40;
  asked.parameters.doc_stride = 40;
  EXPECT_EQ(code(asked), ErrorCode::kInvalidArgument);
  asked = question();
  asked.parameters.max_seq_len = 513;
  EXPECT_EQ(code(asked), ErrorCode::kInvalidArgument);
  asked = question();
  for (int i = 0; i < 9; ++i) asked.question += asked.question;
  EXPECT_EQ(code(asked), ErrorCode::kInvalidInput);
}

TEST(Answerer, ParametersCanBeCheckedWithoutAQuestion) {
  Parameters parameters;
  parameters.max_seq_len = 512;
  EXPECT_NO_THROW(answerer().check(parameters));
  parameters.max_seq_len = 513;
  EXPECT_EQ(code_of([&] { answerer().check(parameters); }), ErrorCode::kInvalidArgument);
}

TEST(Answerer, WhitespaceIsAContextWithoutAnAnswer) {
  const Result result = answerer().ask({.question = "Who?", .context = " \n\t "});
  ASSERT_EQ(result.answers.size(), 1U);
  EXPECT_EQ(result.answers[0].answer, "");
  EXPECT_EQ(result.answers[0].score, 0.0);
}

TEST(Answerer, RefusesOptionsThatCannotBeHad) {
  const auto code = [](const Options& options) {
    return code_of([&] { const Answerer unused(options); });
  };
  EXPECT_EQ(code({.model = "/nowhere"}), ErrorCode::kNotFound);
  EXPECT_EQ(code({.model = kModel, .threads = 100000}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.model = kModel, .precision = "fp12"}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.model = kModel, .isa = "mmx"}), ErrorCode::kInvalidArgument);
}

TEST(Answerer, OffsetsAreInTheUnitAskedFor) {
  Question question{
      .question = "Who wrote the first program?",
      .context = "Caf\xC3\xA9 \xF0\x9F\x98\x80. Ada Lovelace wrote the first program."};
  const auto start = [&](OffsetType type) {
    question.parameters.offset_type = type;
    const Result result = answerer().ask(question);
    EXPECT_EQ(result.answers[0].answer, "Ada Lovelace");
    return result.answers[0].start;
  };
  EXPECT_EQ(start(OffsetType::kCodePoint), 8U);
  EXPECT_EQ(start(OffsetType::kUtf16), 9U);
  EXPECT_EQ(start(OffsetType::kUtf8), 12U);
}

TEST(Answerer, TokenizesAPair) {
  const TokenizedPair pair = answerer().tokenize("Who?", "Ada wrote");
  const std::vector<std::string> tokens = {"[CLS]", "who", "?", "[SEP]", "ada", "wrote", "[SEP]"};
  EXPECT_EQ(pair.tokens, tokens);
  // DistilBertTokenizer has no token types.
  EXPECT_EQ(pair.type_ids, std::vector<std::int32_t>(7, 0));
  EXPECT_EQ(pair.end[5], 9U);
  EXPECT_EQ(pair.word_id[0], std::nullopt);
  EXPECT_EQ(pair.word_id[5], 1U);
}

}  // namespace
}  // namespace lambert
