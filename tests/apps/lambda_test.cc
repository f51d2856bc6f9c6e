// The program as Lambda runs it: no arguments, a Runtime API, signals.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <future>

#include "../serve/runtime_double.h"
#include "process.h"

namespace lambert {
namespace {

using test::http;
using test::next_event;
using test::Post;
using test::RuntimeDouble;

constexpr const char* kTiny = LAMBERT_SOURCE_DIR "/tests/model/data/tiny/distilbert_gelu";
constexpr const char* kEvent = R"({"question":"Who wrote it?","context":"Ada wrote it in 1843."})";

// Until the program waits for work that does not come, or has ended.
void wait_for(const Cancellation& idle, int out) {
  std::array<pollfd, 2> events{pollfd{idle.descriptor(), POLLIN, 0}, pollfd{out, 0, 0}};
  ::poll(events.data(), events.size(), -1);
}

struct LambdaRun {
  Ended ended;
  std::vector<Post> posts;
};

// Runs it over `turns`; when they are taken and it asks for more, it gets `signal`.
LambdaRun run_lambda(std::vector<std::string> turns, std::vector<std::string> environment,
                     int signal = SIGTERM,
                     const std::function<void(int pid, std::size_t turn)>& before_turn = {}) {
  const Cancellation idle;
  std::promise<int> pid;
  const std::shared_future<int> started = pid.get_future().share();
  RuntimeDouble runtime(
      std::move(turns), idle, {}, [](const Post&) {}, 1,
      [&](std::size_t turn) {
        if (before_turn) before_turn(started.get(), turn);
      });
  RunOptions options;
  options.environment = std::move(environment);
  options.environment.push_back("AWS_LAMBDA_RUNTIME_API=" + runtime.api());
  options.meanwhile = [&](int child, int out) {
    pid.set_value(child);
    wait_for(idle, out);
    ::kill(child, signal);
  };
  LambdaRun result;
  result.ended = run({}, options);
  result.posts = runtime.posts();
  return result;
}

std::string model(const std::string& path) {
  return "LAMBERT_MODEL=" + path;
}

TEST(LambdaProgram, AnswersUntilItIsTold) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const LambdaRun lambda =
        run_lambda({next_event("a", kEvent), next_event("b", kEvent)}, {model(kTiny)}, signal);
    EXPECT_EQ(lambda.ended.exit_code, 0) << lambda.ended.err;
    ASSERT_EQ(lambda.posts.size(), 2U) << lambda.ended.out << lambda.ended.err;
    EXPECT_EQ(lambda.posts[0].path, "invocation/a/response");
    EXPECT_EQ(lambda.posts[1].path, "invocation/b/response");
    EXPECT_NE(lambda.posts[0].body.find(R"("answer":)"), std::string::npos) << lambda.posts[0].body;
    EXPECT_EQ(lambda.posts[0].body, lambda.posts[1].body);
    EXPECT_EQ(lambda.ended.out.find("Ada"), std::string::npos) << lambda.ended.out;
  }
}

// As Lambda freezes an environment between two invocations, whose connections may be gone when it
// is thawed.
TEST(LambdaProgram, AnswersAfterItWasFrozen) {
  std::atomic<int> frozen{0};
  const auto freeze = [&](int pid, std::size_t turn) {
    if (turn == 0) return;
    ::kill(pid, SIGSTOP);
    siginfo_t stopped{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &stopped, WSTOPPED), 0);
    ASSERT_EQ(stopped.si_code, CLD_STOPPED);
    ++frozen;
    ::kill(pid, SIGCONT);
  };
  const std::string reset;
  const LambdaRun lambda =
      run_lambda({next_event("a", kEvent), next_event("b", kEvent), reset, next_event("c", kEvent)},
                 {model(kTiny)}, SIGTERM, freeze);
  EXPECT_EQ(lambda.ended.exit_code, 0) << lambda.ended.err;
  EXPECT_EQ(frozen, 4);  // before b, the reset, c and the end
  ASSERT_EQ(lambda.posts.size(), 3U) << lambda.ended.out << lambda.ended.err;
  EXPECT_EQ(lambda.posts[2].path, "invocation/c/response");
  EXPECT_EQ(lambda.posts[2].body, lambda.posts[0].body);
}

struct BadStart {
  std::vector<std::string> environment;
  std::string type, message;
  int exit_code;
};

TEST(LambdaProgram, SaysWhyItCannotStart) {
  const std::string missing = ::testing::TempDir() + "no-such-model";
  const std::vector<BadStart> starts = {
      {{model(missing)}, "Runtime.ModelLoadError", missing, 3},
      {{model(kTiny), "LAMBERT_COMPAT=2021"}, "Runtime.ConfigError", "LAMBERT_COMPAT", 1},
      {{model(kTiny), "AWS_LAMBDA_MAX_CONCURRENCY=no"},
       "Runtime.ConfigError",
       "AWS_LAMBDA_MAX_CONCURRENCY",
       1},
      {{model(kTiny), "LAMBERT_THREADS=-1"}, "Runtime.ConfigError", "LAMBERT_THREADS", 1},
      {{model(kTiny), "LAMBERT_ISA=mmx"}, "Runtime.ConfigError", "LAMBERT_ISA", 3},
      {{model(kTiny), "LAMBERT_LOG_LEVEL=loud"}, "Runtime.ConfigError", "LAMBERT_LOG_LEVEL", 1},
  };
  for (const BadStart& start : starts) {
    SCOPED_TRACE(start.message);
    const LambdaRun lambda = run_lambda({next_event("a", kEvent)}, start.environment);
    EXPECT_EQ(lambda.ended.exit_code, start.exit_code) << lambda.ended.out << lambda.ended.err;
    ASSERT_EQ(lambda.posts.size(), 1U) << lambda.ended.out << lambda.ended.err;
    const Post& post = lambda.posts.front();
    EXPECT_EQ(post.path, "init/error");
    EXPECT_NE(post.body.find(start.message), std::string::npos) << post.body;
    EXPECT_NE(post.body.find(start.type), std::string::npos) << post.body;
    EXPECT_NE(post.head.find("Lambda-Runtime-Function-Error-Type: " + start.type),
              std::string::npos)
        << post.head;
  }
}

TEST(LambdaProgram, ConfigurationMayStandBesideTheWeights) {
  const std::string weights = kTiny + std::string("/model.safetensors");
  const LambdaRun lambda = run_lambda({next_event("a", kEvent)},
                                      {model(weights), std::string("LAMBERT_CONFIG_DIR=") + kTiny});
  ASSERT_EQ(lambda.posts.size(), 1U) << lambda.ended.out << lambda.ended.err;
  EXPECT_EQ(lambda.posts[0].path, "invocation/a/response");
}

TEST(LambdaProgram, WithoutARuntimeApiThatAnswersItEnds) {
  RunOptions options;
  options.environment = {model(kTiny), "AWS_LAMBDA_RUNTIME_API=127.0.0.1:1"};
  const Ended ended = run({}, options);
  EXPECT_EQ(ended.exit_code, 1) << ended.out << ended.err;
  EXPECT_NE(ended.out.find("127.0.0.1:1"), std::string::npos) << ended.out;
}

}  // namespace
}  // namespace lambert
