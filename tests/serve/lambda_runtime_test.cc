#include "serve/lambda_runtime.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <set>

#include "../sanitized.h"
#include "base/error.h"
#include "runtime_double.h"

namespace lambert {
namespace {

using test::http;
using test::next_event;
using test::Post;
using test::RuntimeDouble;

constexpr const char* kTiny = LAMBERT_SOURCE_DIR "/tests/model/data/tiny/distilbert_gelu";

std::unique_ptr<const Answerer> open_tiny() {
  return std::make_unique<const Answerer>(Options{.model = kTiny, .threads = 1});
}

const char* no_environment(const char*) {
  return nullptr;
}

std::string direct(const std::string& question, const std::string& context) {
  return R"({"question":")" + question + R"(","context":")" + context + R"("})";
}

std::string milliseconds_from_now(int milliseconds) {
  const auto then = std::chrono::system_clock::now() + std::chrono::milliseconds(milliseconds);
  return std::to_string(
      std::chrono::duration_cast<std::chrono::milliseconds>(then.time_since_epoch()).count());
}

// Runs the loop against a double, with its log in a file.
class LambdaRuntimeTest : public ::testing::Test {
 protected:
  LambdaRuntimeTest() {
    std::string pattern = ::testing::TempDir() + "/lambda_log_XXXXXX";
    fd_ = ::mkstemp(pattern.data());
    log_path_ = pattern;
    settings_ = read_runtime_settings(no_environment);
  }
  ~LambdaRuntimeTest() override {
    ::close(fd_);
    std::filesystem::remove(log_path_);
  }

  RuntimeEnd run(std::vector<std::string> turns, std::map<std::string, std::string> replies = {},
                 const OpenAnswerer& open = open_tiny) {
    RuntimeDouble double_(
        std::move(turns), stop_, std::move(replies), [](const Post&) {},
        static_cast<int>(settings_.pollers));
    settings_.api = double_.api();
    const RuntimeEnd end = run_lambda(settings_, open, Log(LogSettings{.json = true}, fd_), stop_);
    posts_ = double_.posts();
    turns_left_ = double_.turns_left();
    return end;
  }

  std::string log() const {
    std::ifstream file(log_path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::vector<std::string> paths() const {
    std::vector<std::string> paths;
    for (const Post& post : posts_) paths.push_back(post.path);
    return paths;
  }

  Cancellation stop_;
  RuntimeSettings settings_;
  std::vector<Post> posts_;
  std::size_t turns_left_ = 0;

 private:
  int fd_;
  std::string log_path_;
};

TEST_F(LambdaRuntimeTest, AnswersEachEventUnderItsId) {
  EXPECT_EQ(run({next_event("id-1", direct("Who?", "Ada wrote it.")),
                 next_event("id-2", R"({"body":"{\"question\":\"Who?\",\"context\":\"Ada.\"}"})")}),
            RuntimeEnd::kStopped);
  ASSERT_EQ(paths(),
            (std::vector<std::string>{"invocation/id-1/response", "invocation/id-2/response"}));
  EXPECT_TRUE(posts_[0].body.starts_with(R"({"answer":)")) << posts_[0].body;
  EXPECT_TRUE(posts_[1].body.starts_with(R"({"statusCode":200,)")) << posts_[1].body;
}

TEST_F(LambdaRuntimeTest, TheLogHasTheIdButNoText) {
  run({next_event("id-1", direct("Secretquestion?", "Secretcontext wrote it."), "32503680000000",
                  "Lambda-Runtime-Trace-Id: Root=1-abc\r\n"),
       next_event("id-2", R"({"question":"Secretquestion?","context":""})"),
       next_event("id-3", R"({"question":"Secretquestion?","context":7})")});
  const std::string text = log();
  EXPECT_NE(text.find(R"("requestId":"id-1")"), std::string::npos) << text;
  EXPECT_NE(text.find("Root=1-abc"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("cold_start":true)"), std::string::npos) << text;
  EXPECT_EQ(text.find("Secret"), std::string::npos) << text;
}

TEST_F(LambdaRuntimeTest, AMistakeInADirectEventGoesToError) {
  run({next_event("id-1", R"({"question":"Who?"})"), next_event("id-2", "no json"),
       next_event("id-3", direct("Who?", "Ada."))});
  ASSERT_EQ(paths(), (std::vector<std::string>{"invocation/id-1/error", "invocation/id-2/error",
                                               "invocation/id-3/response"}));
  for (const std::size_t i : {0U, 1U}) {
    EXPECT_NE(posts_[i].head.find("Lambda-Runtime-Function-Error-Type: Function."),
              std::string::npos)
        << posts_[i].head;
    EXPECT_NE(posts_[i].body.find(R"("errorType":"Function.)"), std::string::npos)
        << posts_[i].body;
    EXPECT_NE(posts_[i].body.find(R"("stackTrace":[])"), std::string::npos) << posts_[i].body;
  }
  EXPECT_NE(posts_[0].body.find("context"), std::string::npos) << posts_[0].body;
}

// What is no invocation is asked for again; whatever was in it is not answered.
TEST_F(LambdaRuntimeTest, ABrokenNextIsTriedAgain) {
  const std::string event = direct("Who?", "Ada wrote it.");
  const std::string broken[] = {
      "",                                                                       // reset
      "!HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id-0\r\nContent-Le",  // half a head
      "!HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id-0\r\n"
      "Content-Length: 100\r\n\r\n{",                                  // half a body
      http(200, event),                                                // no id
      http(200, event, "Lambda-Runtime-Aws-Request-Id: ../../x\r\n"),  // not an id
      http(200, event, "Lambda-Runtime-Aws-Request-Id: \r\n"),
      http(200, event, "Lambda-Runtime-Aws-Request-Id: " + std::string(129, 'a') + "\r\n"),
      http(403, "{}"),
      http(404, "{}"),
      "no HTTP at all\r\n\r\n"};
  for (const std::string& turn : broken) {
    Cancellation fresh;
    RuntimeDouble double_({turn, turn, next_event("id-1", event)}, fresh);
    settings_.api = double_.api();
    EXPECT_EQ(run_lambda(settings_, open_tiny, Log(LogSettings{}, STDERR_FILENO), fresh),
              RuntimeEnd::kStopped)
        << turn;
    ASSERT_EQ(double_.posts().size(), 1U) << turn;
    EXPECT_EQ(double_.posts()[0].path, "invocation/id-1/response") << turn;
  }
}

TEST_F(LambdaRuntimeTest, ANextThatStaysBrokenEndsTheProcess) {
  EXPECT_EQ(run({http(403, "{}"), http(403, "{}"), http(403, "{}"), http(403, "{}")}),
            RuntimeEnd::kApiFailed);
  EXPECT_EQ(turns_left_, 1U);
  EXPECT_TRUE(posts_.empty());
}

TEST_F(LambdaRuntimeTest, AServerErrorOfNextEndsTheProcessAtOnce) {
  for (const int status : {500, 503, 410}) {
    Cancellation fresh;
    RuntimeDouble double_({http(status, "{}"), next_event("id-1", "{}")}, fresh);
    settings_.api = double_.api();
    EXPECT_EQ(run_lambda(settings_, open_tiny, Log(LogSettings{}, STDERR_FILENO), fresh),
              RuntimeEnd::kApiFailed);
    EXPECT_EQ(double_.turns_left(), 1U) << status;
  }
}

TEST_F(LambdaRuntimeTest, ARefusedResponseIsLoggedAndWorkGoesOn) {
  const std::string event = direct("Who?", "Ada wrote it.");
  EXPECT_EQ(run({next_event("id-1", event), next_event("id-2", event), next_event("id-3", event),
                 next_event("id-4", event), next_event("id-5", event)},
                {{"invocation/id-1/response", http(400, "{}")},
                 {"invocation/id-2/response", http(403, "{}")},
                 {"invocation/id-3/response", http(413, "{}")},
                 {"invocation/id-4/response", ""}}),
            RuntimeEnd::kStopped);
  const std::vector<std::string> all = paths();
  for (const char* id : {"id-1", "id-2", "id-3", "id-4", "id-5"}) {
    EXPECT_EQ(std::count(all.begin(), all.end(), "invocation/" + std::string(id) + "/response"), 1)
        << id;
  }
  EXPECT_NE(log().find("it is too large"), std::string::npos) << log();
}

TEST_F(LambdaRuntimeTest, AServerErrorOfAResponseEndsTheProcess) {
  const std::string event = direct("Who?", "Ada wrote it.");
  EXPECT_EQ(run({next_event("id-1", event), next_event("id-2", event)},
                {{"invocation/id-1/response", http(500, "{}")}}),
            RuntimeEnd::kApiFailed);
  EXPECT_EQ(turns_left_, 1U);
}

TEST_F(LambdaRuntimeTest, AModelThatCannotBeLoadedIsTold) {
  const auto open = []() -> std::unique_ptr<const Answerer> {
    return std::make_unique<const Answerer>(Options{.model = "/no/such/model"});
  };
  EXPECT_EQ(run({next_event("id-1", "{}")}, {}, open), RuntimeEnd::kInitFailed);
  ASSERT_EQ(paths(), std::vector<std::string>{"init/error"});
  EXPECT_NE(posts_[0].head.find("Lambda-Runtime-Function-Error-Type: Runtime."), std::string::npos)
      << posts_[0].head;
  EXPECT_NE(posts_[0].body.find("/no/such/model"), std::string::npos) << posts_[0].body;
  EXPECT_EQ(turns_left_, 1U);  // no work was asked for
}

TEST_F(LambdaRuntimeTest, LoadingThatTakesLongEndsWithinTheFirstInvocation) {
  settings_.init_budget = std::chrono::milliseconds(0);
  std::promise<void> asked;
  const auto open = [&] {
    asked.get_future().wait();  // the first event has been taken
    return open_tiny();
  };
  RuntimeDouble double_({next_event("id-1", direct("Who?", "Ada wrote it."))}, stop_);
  settings_.api = double_.api();
  auto watcher = std::async(std::launch::async, [&] {
    while (double_.turns_left() > 0) std::this_thread::yield();
    asked.set_value();
  });
  EXPECT_EQ(run_lambda(settings_, open, Log(LogSettings{}, STDERR_FILENO), stop_),
            RuntimeEnd::kStopped);
  ASSERT_EQ(double_.posts().size(), 1U);
  EXPECT_EQ(double_.posts()[0].path, "invocation/id-1/response");
}

TEST_F(LambdaRuntimeTest, LoadingThatTakesLongerThanTheInvocationIsSaid) {
  settings_.init_budget = std::chrono::milliseconds(0);
  std::promise<void> answered;
  const auto open = [&] {
    answered.get_future().wait();
    return open_tiny();
  };
  RuntimeDouble double_(
      {next_event("id-1", R"({"body":"{\"question\":\"Who?\",\"context\":\"Ada.\"}"})",
                  milliseconds_from_now(250))},
      stop_);
  settings_.api = double_.api();
  auto watcher = std::async(std::launch::async, [&] {
    while (double_.posts().empty()) std::this_thread::yield();
    answered.set_value();
  });
  EXPECT_EQ(run_lambda(settings_, open, Log(LogSettings{}, STDERR_FILENO), stop_),
            RuntimeEnd::kStopped);
  ASSERT_EQ(double_.posts().size(), 1U);
  EXPECT_EQ(double_.posts()[0].path, "invocation/id-1/response");
  EXPECT_TRUE(double_.posts()[0].body.starts_with(R"({"statusCode":504,)"))
      << double_.posts()[0].body;
}

TEST_F(LambdaRuntimeTest, LoadingThatFailsLateFailsTheInvocationAndTheProcess) {
  settings_.init_budget = std::chrono::milliseconds(0);
  std::promise<void> asked;
  RuntimeDouble double_({next_event("id-1", R"({"body":"{}"})"), next_event("id-2", "{}")}, stop_);
  settings_.api = double_.api();
  const auto open = [&]() -> std::unique_ptr<const Answerer> {
    asked.get_future().wait();
    fail(ErrorCode::kInvalidModel, "model.safetensors: damaged");
  };
  auto watcher = std::async(std::launch::async, [&] {
    while (double_.turns_left() > 1) std::this_thread::yield();
    asked.set_value();
  });
  EXPECT_EQ(run_lambda(settings_, open, Log(LogSettings{}, STDERR_FILENO), stop_),
            RuntimeEnd::kInitFailed);
  ASSERT_EQ(double_.posts().size(), 1U);
  EXPECT_EQ(double_.posts()[0].path, "invocation/id-1/error");
  EXPECT_NE(double_.posts()[0].body.find("Runtime."), std::string::npos) << double_.posts()[0].body;
}

// Six megabytes of text, far more than 50 ms of work.
std::string long_event() {
  std::string context;
  while (context.size() < 5'900'000) context += "Ada wrote the first program in 1843 . ";
  return direct("Who wrote it?", context);
}

TEST_F(LambdaRuntimeTest, AnInvocationIsAnsweredBeforeItsDeadlineDuringInference) {
  settings_.deadline_margin = std::chrono::milliseconds(0);
  const std::string event = long_event();
  std::string http_event = R"({"body":)";
  http_event += R"({"question":"Who?","context":")" + std::string(event, 40, 5'800'000) + R"("}})";
  EXPECT_EQ(run({next_event("id-1", http_event, milliseconds_from_now(50)),
                 next_event("id-2", event, milliseconds_from_now(50)),
                 next_event("id-3", direct("Who?", "Ada."))}),
            RuntimeEnd::kStopped);
  ASSERT_EQ(paths(), (std::vector<std::string>{"invocation/id-1/response", "invocation/id-2/error",
                                               "invocation/id-3/response"}));
  EXPECT_TRUE(posts_[0].body.starts_with(R"({"statusCode":504,)")) << posts_[0].body;
}

TEST_F(LambdaRuntimeTest, ADeadlineThatHasPassedIsSaid) {
  run({next_event("id-1", R"({"body":"{\"question\":\"Who?\",\"context\":\"Ada.\"}"})",
                  milliseconds_from_now(-5'000)),
       next_event("id-2", R"({"body":"{\"question\":\"Who?\",\"context\":\"Ada.\"}"})", "soon")});
  ASSERT_EQ(posts_.size(), 2U);
  EXPECT_TRUE(posts_[0].body.starts_with(R"({"statusCode":504,)")) << posts_[0].body;
  EXPECT_TRUE(posts_[1].body.starts_with(R"({"statusCode":200,)")) << posts_[1].body;
}

TEST_F(LambdaRuntimeTest, StoppingWhileWaitingEndsAtOnce) {
  EXPECT_EQ(run({}), RuntimeEnd::kStopped);
  EXPECT_TRUE(posts_.empty());
}

TEST_F(LambdaRuntimeTest, StoppingWhileLoadingEndsAtOnce) {
  auto never = std::make_shared<std::promise<void>>();
  std::shared_future<void> forever = never->get_future().share();
  const auto open = [forever]() -> std::unique_ptr<const Answerer> {
    forever.wait();
    return nullptr;
  };
  stop_.cancel();
  EXPECT_EQ(run({}, {}, open), RuntimeEnd::kStopped);
  never->set_value();
}

// The stop comes while the result is on its way.
TEST_F(LambdaRuntimeTest, StoppingDuringAnInvocationAnswersItFirst) {
  RuntimeDouble double_({next_event("id-1", direct("Who?", "Ada wrote it.")),
                         next_event("id-2", direct("Who?", "Ada wrote it."))},
                        stop_, {}, [this](const Post&) { stop_.cancel(); });
  settings_.api = double_.api();
  EXPECT_EQ(run_lambda(settings_, open_tiny, Log(LogSettings{}, STDERR_FILENO), stop_),
            RuntimeEnd::kStopped);
  ASSERT_EQ(double_.posts().size(), 1U);
  EXPECT_EQ(double_.posts()[0].path, "invocation/id-1/response");
  EXPECT_EQ(double_.turns_left(), 1U);
}

TEST_F(LambdaRuntimeTest, SeveralPollersAnswerEachItsOwn) {
  settings_.pollers = 4;
  std::vector<std::string> turns;
  std::set<std::string> expected;
  for (int i = 0; i < 40; ++i) {
    const std::string id = "id-" + std::to_string(i);
    turns.push_back(next_event(
        id, R"({"question":"Q?","documents":[{"id":")" + id + R"(","text":"Ada wrote it."}]})"));
    expected.insert("invocation/" + id + "/response");
  }
  EXPECT_EQ(run(std::move(turns)), RuntimeEnd::kStopped);
  const std::vector<std::string> all = paths();
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()), expected);
  EXPECT_EQ(all.size(), expected.size());
  for (const Post& post : posts_) {
    const std::string id = post.path.substr(11, post.path.rfind('/') - 11);
    EXPECT_NE(post.body.find("\"document_id\":\"" + id + "\""), std::string::npos)
        << post.path << post.body;
  }
}

std::size_t resident_bytes() {
  std::size_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t open_descriptors() {
  const auto begin = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin, std::filesystem::directory_iterator()));
}

// Memory is looked at after 1,000 and after 10,000 invocations of one process.
TEST_F(LambdaRuntimeTest, TenThousandInvocationsDoNotGrow) {
  std::atomic<std::size_t> early{0}, descriptors{0};
  std::vector<std::string> turns(1'000, next_event("id", direct("Who?", "Ada wrote it.")));
  const auto round = [&] {
    Cancellation fresh;
    RuntimeDouble double_(turns, fresh);
    settings_.api = double_.api();
    EXPECT_EQ(
        run_lambda(settings_, open_tiny, Log(LogSettings{.level = LogLevel::kFatal}, 2), fresh),
        RuntimeEnd::kStopped);
    EXPECT_EQ(double_.posts().size(), turns.size());
    EXPECT_EQ(double_.posts().back().path, "invocation/id/response");
    EXPECT_LE(double_.connections(), 4);  // kept alive
  };
  round();
  early = resident_bytes();
  descriptors = open_descriptors();
  for (int i = 1; i < 10; ++i) round();
#if LAMBERT_SANITIZED
  std::printf("NOTICE: memory of the runtime is not measured under a sanitizer, which keeps it\n");
#else
  EXPECT_LE(resident_bytes(), early + (std::size_t{8} << 20));
#endif
  EXPECT_EQ(open_descriptors(), descriptors);
}

TEST(RuntimeSettings, AreReadFromTheEnvironment) {
  const RuntimeSettings settings = read_runtime_settings([](const char* name) -> const char* {
    if (std::string_view(name) == "AWS_LAMBDA_RUNTIME_API") return "127.0.0.1:9001";
    if (std::string_view(name) == "AWS_LAMBDA_MAX_CONCURRENCY") return "16";
    return nullptr;
  });
  EXPECT_EQ(settings.api, "127.0.0.1:9001");
  EXPECT_EQ(settings.pollers, 16U);
  for (const char* bad : {"0", "-1", "x", "1.5", "1001", ""}) {
    EXPECT_THROW(read_runtime_settings([&](const char* name) -> const char* {
                   return std::string_view(name) == "AWS_LAMBDA_MAX_CONCURRENCY" ? bad : nullptr;
                 }),
                 Error)
        << bad;
  }
}

}  // namespace
}  // namespace lambert
