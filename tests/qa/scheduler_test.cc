// What happens between questions in flight: packing, threads, priorities, cancelling. On a tiny
// checkpoint, so that the sanitizers can watch every line.
#include <gtest/gtest.h>

#include <thread>

#include "../code_of.h"
#include "lambert/lambert.h"
#include "qa/memory_plan.h"

namespace lambert {
namespace {

const Answerer& answerer() {
  static const Answerer instance(
      {.model = LAMBERT_SOURCE_DIR "/tests/model/data/tiny/distilbert_gelu", .threads = 2});
  return instance;
}

// Contexts of 10 to 200 tokens, some of several windows.
std::vector<Question> questions() {
  const std::string text = "it wrote the notes in a b c d e , and who wrote the 4 5 6 . ";
  std::vector<Question> list;
  for (const char* question : {"who wrote the notes ?", "who wrote the 5 ?", "in the notes ?"}) {
    list.push_back({.question = question, .context = text});
    list.push_back({.question = question, .context = text.substr(0, 20)});
    Question windows{.question = question, .context = text + text + text};
    windows.parameters.max_seq_len = 20;
    windows.parameters.doc_stride = 4;
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

TEST(Scheduler, QuestionsInFlightGetTheAnswersTheyGetAlone) {
  std::vector<Result> alone;
  for (const Question& question : questions()) alone.push_back(answerer().ask(question));
  std::vector<Pending> pending;
  for (const Question& question : questions()) pending.push_back(answerer().submit(question));
  for (std::size_t i = pending.size(); i-- > 0;) expect_same(pending[i].wait(), alone[i]);
}

TEST(Scheduler, ThreadsThatAskAtOnceGetTheAnswersTheyGetAlone) {
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

TEST(Scheduler, APriorityGoesFirst) {
  Question slow = questions()[2];
  for (int i = 0; i < 7; ++i) slow.context += slow.context;  // more than one batch
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

TEST(Scheduler, CancelledQuestionsThrowAndLeaveTheOthersAlone) {
  Pending cancelled = answerer().submit(questions()[2]);
  Pending kept = answerer().submit(questions()[0]);
  cancelled.cancel();
  EXPECT_TRUE(cancelled.done());
  EXPECT_EQ(code_of([&] { cancelled.wait(); }), ErrorCode::kCancelled);
  EXPECT_EQ(kept.wait().answers.size(), 1U);
  answerer().submit(questions()[1]);  // dropped at once
  EXPECT_EQ(answerer().ask(questions()[0]).answers.size(), 1U);
}

// A document of many windows held up whoever came after it.
TEST(Scheduler, AShortQuestionDoesNotWaitForALongDocument) {
  Question slow = questions()[2];
  for (int i = 0; i < 8; ++i) slow.context += slow.context;
  Pending document = answerer().submit(slow);
  Pending question = answerer().submit(questions()[0]);
  question.wait();
  const Result so_far = document.partial();
  EXPECT_LT(so_far.windows_done, 64U);
  EXPECT_GT(so_far.windows_total, 512U);
  EXPECT_EQ(document.wait().windows_done, so_far.windows_total);
}

// Short questions that keep coming do not hold up a document for ever.
TEST(Scheduler, TheOldestGoesOnWithEachBatch) {
  Question slow = questions()[2];
  for (int i = 0; i < 4; ++i) slow.context += slow.context;
  slow.priority = -1;
  Pending document = answerer().submit(slow);
  const std::size_t windows = document.partial().windows_total;
  for (std::size_t batch = 0; batch <= windows && !document.done(); ++batch) {
    std::vector<Pending> crowd;
    for (int i = 0; i < 30; ++i) crowd.push_back(answerer().submit(questions()[0]));
    for (Pending& one : crowd) one.wait();
  }
  EXPECT_TRUE(document.done());
}

TEST(Scheduler, WhoIsNotWantedAnyMoreIsCancelled) {
  bool left = false;
  Question slow = questions()[2];
  for (int i = 0; i < 7; ++i) slow.context += slow.context;  // more than one batch
  slow.cancelled = [&left] { return left; };
  Pending pending = answerer().submit(slow);
  answerer().ask(questions()[0]);  // computes a batch
  EXPECT_FALSE(pending.done());
  left = true;
  EXPECT_EQ(code_of([&] { pending.wait(); }), ErrorCode::kCancelled);
}

TEST(Scheduler, AResultSaysHowManyWindowsWereComputedTogether) {
  EXPECT_EQ(answerer().ask(questions()[0]).batch_windows, 1U);
  std::vector<Pending> pending;
  for (int i = 0; i < 5; ++i) pending.push_back(answerer().submit(questions()[0]));
  for (Pending& one : pending) EXPECT_EQ(one.wait().batch_windows, 5U);
}

TEST(Scheduler, ADeadlineThatPassedIsAnError) {
  Question question = questions()[0];
  question.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  EXPECT_EQ(code_of([&] { answerer().ask(question); }), ErrorCode::kDeadlineExceeded);
}

// A model within all limits ended in a bare "not enough memory".
TEST(MemoryPlan, AModelThatTakesMoreThanThereIsIsRefusedWithTheNumber) {
  const EncoderConfig config{.family = Family::kBert,
                             .vocab_size = 10,
                             .hidden_size = 16,
                             .num_layers = 1,
                             .num_heads = 1,
                             .intermediate_size = 64,
                             .max_positions = 1'048'576,
                             .type_vocab_size = 2,
                             .layer_norm_eps = 1e-12F,
                             .activation = Activation::kGelu};
  constexpr std::size_t kTokens = 1'048'576,
                        kLimit = kTokens * 256;  // hidden to values alone: 4 x 16 floats
  EXPECT_NO_THROW(check_memory(config, Precision::kFp32, kTokens, 1, 4 * kLimit, "config.json"));
  try {
    check_memory(config, Precision::kFp32, kTokens, 1, kLimit, "config.json");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kLimitExceeded);
    const std::string message = error.what();
    for (const char* part : {"config.json: ", "intermediate_size 64",
                             "max_position_embeddings 1048576", "may have 268435456"}) {
      EXPECT_NE(message.find(part), std::string::npos) << message;
    }
  }
}

}  // namespace
}  // namespace lambert
