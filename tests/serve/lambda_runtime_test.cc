#include <algorithm>
#include <future>

#include "base/error.h"
#include "lambda_runtime_fixture.h"

namespace lambert {
namespace {

using namespace test;

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
