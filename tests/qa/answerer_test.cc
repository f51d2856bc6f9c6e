// The public interface and the scheduler behind it, on the default model.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

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

std::vector<Question> questions() {
  std::vector<Question> list;
  const std::string text = kContext;
  for (const char* question :
       {"Who wrote the first program?", "When was the first compiler finished?",
        "Where did Hopper work?", "Who designed the Analytical Engine?"}) {
    list.push_back({.question = question, .context = text});
    list.push_back({.question = question, .context = text.substr(0, 90)});
    Question windows{.question = question, .context = text + " " + text + " " + text};
    windows.parameters.max_seq_len = 40;
    windows.parameters.doc_stride = 10;
    windows.parameters.top_k = 3;
    list.push_back(windows);
  }
  return list;
}

void expect_same(const Result& a, const Result& b) {
  ASSERT_EQ(a.answers.size(), b.answers.size());
  for (std::size_t i = 0; i < a.answers.size(); ++i) {
    EXPECT_EQ(a.answers[i].answer, b.answers[i].answer);
    EXPECT_EQ(a.answers[i].score, b.answers[i].score);  // to the last bit
    EXPECT_EQ(a.answers[i].start, b.answers[i].start);
    EXPECT_EQ(a.answers[i].end, b.answers[i].end);
  }
}

template <typename Call>
ErrorCode code_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_STRNE(error.what(), "");
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::kInternal;
}

TEST(Answerer, AnswersWithOffsetsIntoTheContext) {
  const Result result =
      answerer().ask({.question = "Who wrote the first program?", .context = kContext});
  ASSERT_EQ(result.answers.size(), 1U);
  EXPECT_EQ(result.answers[0].answer, "Ada Lovelace");
  EXPECT_EQ(result.answers[0].start, 0U);
  EXPECT_EQ(result.answers[0].end, 12U);
  EXPECT_EQ(result.windows_done, 1U);
  EXPECT_EQ(result.windows_total, 1U);
  EXPECT_GT(result.tokens, 40U);
}

TEST(Answerer, QuestionsInFlightGetTheAnswersTheyGetAlone) {
  std::vector<Result> alone;
  for (const Question& question : questions()) alone.push_back(answerer().ask(question));
  std::vector<Pending> pending;
  for (const Question& question : questions()) pending.push_back(answerer().submit(question));
  for (std::size_t i = pending.size(); i-- > 0;) expect_same(pending[i].wait(), alone[i]);
}

TEST(Answerer, ThreadsThatAskAtOnceGetTheAnswersTheyGetAlone) {
  std::vector<Result> alone;
  for (const Question& question : questions()) alone.push_back(answerer().ask(question));
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      const auto list = questions();
      for (std::size_t i = 0; i < list.size(); ++i) {
        const std::size_t k = (i + static_cast<std::size_t>(t) * 5) % list.size();
        expect_same(answerer().ask(list[k]), alone[k]);
      }
    });
  }
  for (auto& thread : threads) thread.join();
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

TEST(Answerer, APriorityGoesFirst) {
  Question slow = questions()[2];
  for (int i = 0; i < 4; ++i) slow.context += slow.context;
  Question urgent = questions()[0];
  urgent.priority = 1;
  Pending first = answerer().submit(slow);
  Pending second = answerer().submit(urgent);
  second.wait();
  EXPECT_FALSE(first.done());
  const Result partial = first.partial();
  EXPECT_LT(partial.windows_done, partial.windows_total);
  const Result whole = first.wait();
  EXPECT_EQ(whole.windows_done, whole.windows_total);
}

TEST(Answerer, CancelledQuestionsThrowAndLeaveTheOthersAlone) {
  Pending cancelled = answerer().submit(questions()[2]);
  Pending kept = answerer().submit(questions()[0]);
  cancelled.cancel();
  EXPECT_TRUE(cancelled.done());
  EXPECT_EQ(code_of([&] { cancelled.wait(); }), ErrorCode::kCancelled);
  EXPECT_EQ(kept.wait().answers[0].answer, "Ada Lovelace");
  answerer().submit(questions()[1]);  // dropped at once
  EXPECT_EQ(answerer().ask(questions()[0]).answers[0].answer, "Ada Lovelace");
}

TEST(Answerer, ADeadlineThatPassedIsAnError) {
  Question question = questions()[0];
  question.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  EXPECT_EQ(code_of([&] { answerer().ask(question); }), ErrorCode::kDeadlineExceeded);
}

TEST(Answerer, RefusesQuestionsThatCannotBeAsked) {
  const auto code = [](Question question) {
    return code_of([&] { answerer().ask(std::move(question)); });
  };
  EXPECT_EQ(code({.question = "", .context = "text"}), ErrorCode::kInvalidInput);
  EXPECT_EQ(code({.question = "Who?", .context = ""}), ErrorCode::kInvalidInput);
  EXPECT_EQ(code({.question = "Who?", .context = "a\xFFz"}), ErrorCode::kInvalidInput);
  Question question = questions()[0];
  question.parameters.top_k = 0;
  EXPECT_EQ(code(question), ErrorCode::kInvalidArgument);
  question = questions()[2];
  question.parameters.doc_stride = 40;
  EXPECT_EQ(code(question), ErrorCode::kInvalidArgument);
  question = questions()[0];
  question.parameters.max_seq_len = 513;
  EXPECT_EQ(code(question), ErrorCode::kInvalidArgument);
  question = questions()[0];
  for (int i = 0; i < 9; ++i) question.question += question.question;
  EXPECT_EQ(code(question), ErrorCode::kInvalidInput);
}

TEST(Answerer, WhitespaceIsAContextWithoutAnAnswer) {
  const Result result = answerer().ask({.question = "Who?", .context = " \n\t "});
  EXPECT_TRUE(result.answers.empty() || result.answers[0].answer.size() <= 4);
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
  EXPECT_EQ(pair.type_ids, (std::vector<std::int32_t>{0, 0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(pair.end[5], 9U);
  EXPECT_EQ(pair.word_id[0], std::nullopt);
  EXPECT_EQ(pair.word_id[5], 1U);
}

}  // namespace
}  // namespace lambert
