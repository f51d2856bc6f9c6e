// Log lines and metrics of the service, as AWS Lambda's log controls want them.
//
// A line is one write(2). As JSON: {"timestamp":"2026-01-31T12:00:00.000Z","level":"INFO",
// "message":...,"requestId":...,"xray_trace_id":...,"cold_start":...}, then the fields; as text the
// same, separated by tabs. What is logged about a request are lengths, counts, times and codes,
// never a question, a text, an answer, or an error's message, which may quote them.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "lambert/lambert.h"
#include "serve/ask.h"

namespace lambert {

enum class LogLevel { kTrace, kDebug, kInfo, kWarn, kError, kFatal };

struct LogSettings {
  bool json = false;
  LogLevel level = LogLevel::kInfo;  // lower ones are left out
  bool emf = false;                  // a line of metrics for each request
  std::string emf_namespace = "Lambert";
  std::string function_name = {};  // the metrics' dimension
};

// From AWS_LAMBDA_LOG_FORMAT (Text or JSON), LAMBERT_LOG_LEVEL, else AWS_LAMBDA_LOG_LEVEL (TRACE,
// DEBUG, INFO, WARN, ERROR or FATAL), LAMBERT_EMF (1: metrics in CloudWatch's embedded metric
// format), LAMBERT_EMF_NAMESPACE and AWS_LAMBDA_FUNCTION_NAME. Throws kInvalidArgument for a
// LAMBERT_ variable that has another value; others of AWS count as Text and INFO.
LogSettings read_log_settings(const std::function<const char*(const char*)>& environment);

struct LogField {
  std::string_view name;  // of the program, not from outside
  std::variant<std::string_view, double, std::size_t, bool> value;
};

// What to say of one invocation or HTTP request.
struct RequestLog {
  std::string_view request_id, trace_id;  // "": none
  bool cold_start = false;
  bool probe = false;      // of health, metrics or pages: logged as DEBUG, unless it failed
  std::string_view shape;  // EventResult::shape, or a path of ours
  int status = 200;
  std::optional<ErrorCode> error;
  std::size_t event_bytes = 0, reply_bytes = 0, failed_records = 0;
  AskStats stats;
  double total_ms = 0;
};

// Thread-safe: lines of several threads do not mix, as far as the system keeps one write together.
class Log {
 public:
  using Clock = std::function<std::chrono::system_clock::time_point()>;

  // Writes to `fd`, which it does not own.
  explicit Log(LogSettings settings, int fd, Clock clock = std::chrono::system_clock::now);

  // `message` and the fields may have any bytes. A line that cannot be written is lost.
  void write(LogLevel level, std::string_view message, std::span<const LogField> fields = {}) const;

  // One line: ERROR for a status from 500 on, WARN from 400 on, else INFO (a probe: DEBUG); and
  // that of the metrics.
  void request(const RequestLog& request) const;

 private:
  std::string line(LogLevel level, std::string_view message, const RequestLog* request,
                   std::span<const LogField> fields) const;
  std::string metrics(const RequestLog& request) const;
  void put(const std::string& line) const;

  LogSettings settings_;
  int fd_;
  Clock clock_;
};

}  // namespace lambert
