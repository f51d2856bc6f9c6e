#include "serve/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <vector>

#include "../code_of.h"
#include "base/json.h"
#include "engine.h"
#include "serve/lambda_event.h"

namespace lambert {
namespace {

// A pipe that keeps what was written: at most 64 KiB.
class Sink {
 public:
  Sink() {
    if (::pipe(ends_) != 0) throw std::runtime_error("pipe");
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }
  ~Sink() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  int fd() const { return ends_[1]; }
  std::string take() {
    std::string text;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(ends_[0], buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(n));
    }
    return text;
  }

 private:
  int ends_[2] = {-1, -1};
};

std::chrono::system_clock::time_point noon() {
  return std::chrono::system_clock::time_point(std::chrono::milliseconds(1769860800007));
}

LogSettings settings_of(const std::map<std::string, const char*>& variables) {
  return read_log_settings([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found != variables.end() ? found->second : nullptr;
  });
}

RequestLog sample() {
  RequestLog request;
  request.request_id = "79b4f56e";
  request.trace_id = "Root=1-5c34e93e";
  request.cold_start = true;
  request.shape = "http-v2";
  request.event_bytes = 700;
  request.reply_bytes = 90;
  request.stats.questions = 1;
  request.stats.windows = 2;
  request.stats.compute_ms = 1.5;
  request.total_ms = 2.25;
  return request;
}

TEST(Log, AJsonLineHasTheFieldsThatLambdaFiltersBy) {
  Sink sink;
  const Log log({.json = true}, sink.fd(), noon);
  log.request(sample());
  const std::string line = sink.take();
  EXPECT_TRUE(line.starts_with(
      R"({"timestamp":"2026-01-31T12:00:00.007Z","level":"INFO","message":"request",)"
      R"("requestId":"79b4f56e","xray_trace_id":"Root=1-5c34e93e","cold_start":true,)"
      R"("shape":"http-v2","status":200,"event_bytes":700,"reply_bytes":90,)"))
      << line;
  EXPECT_TRUE(line.ends_with("}\n"));
  const auto value = parse_json(line, "line", ErrorCode::kInternal);
  EXPECT_EQ(value.at("total_ms").as_double(), 2.25);
}

TEST(Log, ATextLineHasTheSameBehindTabs) {
  Sink sink;
  const Log log({}, sink.fd(), noon);
  RequestLog request = sample();
  request.status = 504;
  request.error = ErrorCode::kDeadlineExceeded;
  log.request(request);
  const std::string line = sink.take();
  EXPECT_TRUE(
      line.starts_with("2026-01-31T12:00:00.007Z\tERROR\t79b4f56e\trequest\tcold_start=true\t"
                       "shape=\"http-v2\"\tstatus=504\terror_type=\"deadline_exceeded\"\t"))
      << line;
}

TEST(Log, LevelsFilterAndFollowTheStatus) {
  Sink sink;
  const Log log({.json = true, .level = LogLevel::kWarn}, sink.fd(), noon);
  log.write(LogLevel::kInfo, "quiet");
  RequestLog request = sample();
  log.request(request);
  EXPECT_EQ(sink.take(), "");
  request.status = 422;
  log.request(request);
  EXPECT_NE(sink.take().find("\"level\":\"WARN\""), std::string::npos);
  log.write(LogLevel::kFatal, "loud");
  EXPECT_NE(sink.take().find("\"level\":\"FATAL\""), std::string::npos);
}

TEST(Log, NothingForgesALine) {
  const std::string hostile = "a\n{\"level\":\"FATAL\"}\r\x1b[2J\0\xFF\xE2\x80\xA8\t\"";
  for (const bool json : {false, true}) {
    Sink sink;
    const Log log({.json = json}, sink.fd(), noon);
    const LogField fields[] = {{"text", hostile}, {"flag", true}, {"number", 0.5}};
    log.write(LogLevel::kInfo, hostile, fields);
    RequestLog request = sample();
    request.request_id = hostile;
    request.trace_id = hostile;
    log.request(request);
    const std::string lines = sink.take();
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2) << lines;
    EXPECT_EQ(lines.find_first_of("\r\x1b"), std::string::npos);
    if (!json) continue;
    for (std::size_t at = 0; at < lines.size(); at = lines.find('\n', at) + 1) {
      EXPECT_NO_THROW(
          parse_json(lines.substr(at, lines.find('\n', at) - at), "line", ErrorCode::kInternal));
    }
  }
}

TEST(Log, MetricsAreOfTheEmbeddedFormat) {
  Sink sink;
  LogSettings settings;
  settings.level = LogLevel::kFatal;
  settings.emf = true;
  settings.function_name = "answer";
  const Log log(settings, sink.fd(), noon);
  RequestLog request = sample();
  request.status = 500;
  log.request(request);
  const std::string line = sink.take();
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const auto value = parse_json(line, "line", ErrorCode::kInternal);
  EXPECT_EQ(value.at("_aws").at("Timestamp").as_int64(), 1769860800007);
  const auto& directive = value.at("_aws").at("CloudWatchMetrics").at(0);
  EXPECT_EQ(directive.at("Namespace").as_string(), "Lambert");
  for (const auto& name : directive.at("Dimensions").at(0).as_array()) {
    EXPECT_TRUE(value.at(name.as_string()).is_string());
  }
  ASSERT_EQ(directive.at("Metrics").as_array().size(), 10U);
  for (const auto& metric : directive.at("Metrics").as_array()) {
    EXPECT_TRUE(value.at(metric.at("Name").as_string()).is_number()) << metric;
  }
  EXPECT_EQ(value.at("ServerErrors").as_int64(), 1);
  EXPECT_EQ(value.at("ClientErrors").as_int64(), 0);
  EXPECT_EQ(value.at("FunctionName").as_string(), "answer");
}

TEST(Log, SettingsComeFromTheEnvironment) {
  LogSettings settings = settings_of({});
  EXPECT_FALSE(settings.json);
  EXPECT_FALSE(settings.emf);
  EXPECT_EQ(settings.level, LogLevel::kInfo);
  settings = settings_of({{"AWS_LAMBDA_LOG_FORMAT", "JSON"},
                          {"AWS_LAMBDA_LOG_LEVEL", "DEBUG"},
                          {"LAMBERT_EMF", "1"},
                          {"LAMBERT_EMF_NAMESPACE", "Mine"},
                          {"AWS_LAMBDA_FUNCTION_NAME", "f"}});
  EXPECT_TRUE(settings.json);
  EXPECT_TRUE(settings.emf);
  EXPECT_EQ(settings.level, LogLevel::kDebug);
  EXPECT_EQ(settings.emf_namespace, "Mine");
  EXPECT_EQ(settings.function_name, "f");
  EXPECT_EQ(settings_of({{"AWS_LAMBDA_LOG_LEVEL", "DEBUG"}, {"LAMBERT_LOG_LEVEL", "ERROR"}}).level,
            LogLevel::kError);
  EXPECT_EQ(settings_of({{"AWS_LAMBDA_LOG_LEVEL", "NEWS"}, {"AWS_LAMBDA_LOG_FORMAT", "x"}}).level,
            LogLevel::kInfo);
  EXPECT_EQ(code_of([] {
              settings_of({{"LAMBERT_LOG_LEVEL", "debug"}});
            }),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([] { settings_of({{"LAMBERT_EMF", "yes"}}); }), ErrorCode::kInvalidArgument);
}

// What the loop will do with each invocation: nothing that a user sent or got back is in the log.
TEST(Log, NoTextOfAUserIsLogged) {
  const std::vector<std::string> events = {
      R"({"body":"{\"question\":\"Who is Zebulon?\",\"context\":\"Zebulon is Quirinus, the baker.\"}"})",
      R"({"body":"{\"question\":\"Zebulon\",\"context\":{\"Quirinus\":1}}"})",
      R"({"body":"{\"question\":\"Zebulon\",\"context\":\"a\",\"top_k\":\"Quirinus\"}"})",
      R"({"body":"Zebulon is no JSON"})",
      R"({"httpMethod":"GET","path":"/Zebulon","headers":{"authorization":"Quirinus"}})",
      R"({"httpMethod":"Zebulon","path":"/ask"})",
      R"({"question":"Zebulon","context":"Zebulon is Quirinus"})",
  };
  for (const bool json : {false, true}) {
    Sink sink;
    LogSettings settings;
    settings.json = json;
    settings.level = LogLevel::kTrace;
    settings.emf = true;
    const Log log(settings, sink.fd(), noon);
    for (const std::string& event : events) {
      const EventResult result = handle_event(event, {}, test::engine(), {});
      RequestLog request = sample();
      request.shape = result.shape;
      request.status = result.status;
      request.error = result.error;
      request.stats = result.stats;
      log.request(request);
    }
    const std::string lines = sink.take();
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 14);
    for (const char* text : {"Zebulon", "Quirinus", "zebulon", "quirinus", "baker"}) {
      EXPECT_EQ(lines.find(text), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace lambert
