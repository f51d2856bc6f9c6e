#include "serve/log.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <utility>
#include <vector>

#include "base/error.h"
#include "wire/json_writer.h"

namespace lambert {

namespace {

constexpr std::array<std::string_view, 6> kLevels = {"TRACE", "DEBUG", "INFO",
                                                     "WARN",  "ERROR", "FATAL"};

std::optional<LogLevel> level_of(std::string_view name) {
  for (std::size_t i = 0; i < kLevels.size(); ++i) {
    if (kLevels[i] == name) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

long long milliseconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

// RFC 3339, as Lambda wants it for filtering by level.
std::string timestamp(std::chrono::system_clock::time_point time) {
  const long long ms = milliseconds(time);
  const auto seconds = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char date[32], text[48];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text, sizeof text, "%s.%03lldZ", date, ms % 1000);
  return text;
}

void append_string(std::string& out, std::string_view text) {
  append_json_string(out, valid_utf8(text));
}

void append_value(std::string& out, const LogField& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    append_string(out, *text);
  } else if (const auto* number = std::get_if<double>(&field.value)) {
    append_json_number(out, *number);
  } else if (const auto* count = std::get_if<std::size_t>(&field.value)) {
    out += std::to_string(*count);
  } else {
    out += std::get<bool>(field.value) ? "true" : "false";
  }
}

void append_fields(std::string& out, std::span<const LogField> fields) {
  for (const LogField& field : fields) {
    out += ',';
    append_string(out, field.name);
    out += ':';
    append_value(out, field);
  }
}

// In quotes only where it has to be.
void append_plain(std::string& out, std::string_view text) {
  bool plain = !text.empty();
  for (const char c : text) plain = plain && c > ' ' && c < '\x7F' && c != '"' && c != '\\';
  if (plain) {
    out += text;
  } else {
    append_string(out, text);
  }
}

std::vector<LogField> fields_of(const RequestLog& request) {
  const AskStats& stats = request.stats;
  std::vector<LogField> fields = {{"shape", request.shape},
                                  {"status", static_cast<std::size_t>(request.status)}};
  if (request.error) fields.push_back({"error_type", error_code_name(*request.error)});
  if (request.failed_records > 0) fields.push_back({"failed_records", request.failed_records});
  const LogField numbers[] = {{"event_bytes", request.event_bytes},
                              {"reply_bytes", request.reply_bytes},
                              {"questions", stats.questions},
                              {"question_bytes", stats.question_bytes},
                              {"context_bytes", stats.context_bytes},
                              {"answers", stats.answers},
                              {"windows", stats.windows},
                              {"tokens", stats.tokens},
                              {"tokenize_ms", stats.tokenize_ms},
                              {"queue_ms", stats.queue_ms},
                              {"compute_ms", stats.compute_ms},
                              {"total_ms", request.total_ms}};
  fields.insert(fields.end(), std::begin(numbers), std::end(numbers));
  return fields;
}

}  // namespace

LogSettings read_log_settings(const std::function<const char*(const char*)>& environment) {
  const auto value = [&](const char* name) {
    const char* text = environment(name);
    return std::string_view(text != nullptr ? text : "");
  };
  LogSettings settings;
  settings.json = value("AWS_LAMBDA_LOG_FORMAT") == "JSON";
  settings.level = level_of(value("AWS_LAMBDA_LOG_LEVEL")).value_or(LogLevel::kInfo);
  if (const std::string_view name = value("LAMBERT_LOG_LEVEL"); !name.empty()) {
    const auto level = level_of(name);
    if (!level) {
      fail(ErrorCode::kInvalidArgument, "LAMBERT_LOG_LEVEL is ", quote(name),
           ", but must be TRACE, DEBUG, INFO, WARN, ERROR or FATAL");
    }
    settings.level = *level;
  }
  const std::string_view emf = value("LAMBERT_EMF");
  if (!emf.empty() && emf != "0" && emf != "1") {
    fail(ErrorCode::kInvalidArgument, "LAMBERT_EMF is ", quote(emf), ", but must be 1 or 0");
  }
  settings.emf = emf == "1";
  if (const std::string_view name = value("LAMBERT_EMF_NAMESPACE"); !name.empty()) {
    settings.emf_namespace = name;
  }
  settings.function_name = value("AWS_LAMBDA_FUNCTION_NAME");
  return settings;
}

Log::Log(LogSettings settings, int fd, Clock clock)
    : settings_(std::move(settings)), fd_(fd), clock_(std::move(clock)) {}

void Log::write(LogLevel level, std::string_view message, std::span<const LogField> fields) const {
  if (level >= settings_.level) put(line(level, message, nullptr, fields));
}

void Log::request(const RequestLog& request) const {
  const LogLevel level = request.status >= 500   ? LogLevel::kError
                         : request.status >= 400 ? LogLevel::kWarn
                         : request.probe         ? LogLevel::kDebug
                                                 : LogLevel::kInfo;
  if (level >= settings_.level) put(line(level, "request", &request, fields_of(request)));
  if (settings_.emf) put(metrics(request));
}

std::string Log::line(LogLevel level, std::string_view message, const RequestLog* request,
                      std::span<const LogField> fields) const {
  const std::string_view name = kLevels[static_cast<std::size_t>(level)];
  const std::string time = timestamp(clock_());
  std::string out;
  if (!settings_.json) {
    out = time + '\t' + std::string(name) + '\t';
    append_plain(out,
                 request != nullptr && !request->request_id.empty() ? request->request_id : "-");
    out += '\t';
    append_plain(out, message);
    if (request != nullptr && request->cold_start) out += "\tcold_start=true";
    for (const LogField& field : fields) {
      out += '\t' + std::string(field.name) + '=';
      append_value(out, field);
    }
    return out + '\n';
  }
  out = "{\"timestamp\":\"" + time + "\",\"level\":\"" + std::string(name) + "\",\"message\":";
  append_string(out, message);
  if (request != nullptr) {
    std::vector<LogField> context;
    if (!request->request_id.empty()) context.push_back({"requestId", request->request_id});
    if (!request->trace_id.empty()) context.push_back({"xray_trace_id", request->trace_id});
    context.push_back({"cold_start", request->cold_start});
    append_fields(out, context);
  }
  append_fields(out, fields);
  return out + "}\n";
}

// CloudWatch's embedded metric format: the values stand at the top, `_aws` says which are metrics.
std::string Log::metrics(const RequestLog& request) const {
  struct Metric {
    std::string_view unit;
    LogField field;
  };
  const AskStats& stats = request.stats;
  const auto one_if = [](bool flag) { return static_cast<std::size_t>(flag); };
  const Metric metrics[] = {
      {"Milliseconds", {"RequestTime", request.total_ms}},
      {"Milliseconds", {"TokenizeTime", stats.tokenize_ms}},
      {"Milliseconds", {"QueueTime", stats.queue_ms}},
      {"Milliseconds", {"ComputeTime", stats.compute_ms}},
      {"Count", {"Questions", stats.questions}},
      {"Count", {"Windows", stats.windows}},
      {"Count", {"Tokens", stats.tokens}},
      {"Count", {"ClientErrors", one_if(request.status >= 400 && request.status < 500)}},
      {"Count", {"ServerErrors", one_if(request.status >= 500)}},
      {"Count", {"ColdStarts", one_if(request.cold_start)}}};
  std::string out = "{\"_aws\":{\"Timestamp\":" + std::to_string(milliseconds(clock_())) +
                    ",\"CloudWatchMetrics\":[{\"Namespace\":";
  append_string(out, settings_.emf_namespace);
  out += ",\"Dimensions\":[[\"FunctionName\"]],\"Metrics\":[";
  for (const Metric& metric : metrics) {
    if (&metric != metrics) out += ',';
    out += "{\"Name\":\"" + std::string(metric.field.name) + "\",\"Unit\":\"" +
           std::string(metric.unit) + "\"}";
  }
  out += "]}]},\"FunctionName\":";
  append_string(out, settings_.function_name.empty() ? "lambert" : settings_.function_name);
  for (const Metric& metric : metrics) append_fields(out, {&metric.field, 1});
  const LogField context[] = {{"requestId", request.request_id}};
  if (!request.request_id.empty()) append_fields(out, context);
  return out + "}\n";
}

void Log::put(const std::string& line) const {
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace lambert
