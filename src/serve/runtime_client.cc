#include "serve/runtime_client.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/error.h"
#include "net/network_error.h"
#include "wire/json_writer.h"

namespace lambert {

namespace {

constexpr std::string_view kRuntime = "/2018-06-01/runtime/";
constexpr std::size_t kMaxEvent = (std::size_t{6} << 20) + (64 << 10);  // Lambda: 6 MiB + 100 bytes
constexpr std::size_t kMaxReply = std::size_t{64} << 10;  // what the API says to a post
constexpr std::chrono::seconds kPostTimeout{10};

HttpOptions options_of(const Waiting& waiting) {
  HttpOptions options;
  options.waiting = waiting;
  return options;
}

Waiting without_cancellation(const Waiting& waiting) {
  return {waiting.clock, nullptr};
}

std::string header(const HttpHead& head, std::string_view name) {
  const std::string* value = head.find(name);
  return value == nullptr ? "" : *value;
}

// The id becomes part of a path: nothing but what a UUID has.
bool is_request_id(std::string_view id) {
  constexpr std::size_t kLongest = 128;
  return !id.empty() && id.size() <= kLongest && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

std::optional<std::chrono::system_clock::time_point> parse_deadline(std::string_view text) {
  std::int64_t milliseconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  if (error != std::errc() || end != text.data() + text.size() || milliseconds <= 0) {
    return std::nullopt;
  }
  constexpr std::int64_t kLatest = 9'000'000'000'000;  // the clock counts to the year 2262
  return std::chrono::system_clock::time_point(
      std::chrono::milliseconds(std::min(milliseconds, kLatest)));
}

std::string error_body(const Error& error, std::string_view type) {
  std::string body = "{\"errorMessage\":";
  append_json_string(body, error.what());
  body += ",\"errorType\":";
  append_json_string(body, type);
  return body + ",\"stackTrace\":[]}";
}

// For AWS X-Ray, which shows it with the trace: without the message, which may quote a text.
std::string xray_cause(const Error& error, std::string_view type) {
  std::string cause = R"({"working_directory":"/var/task","exceptions":[{"type":)";
  append_json_string(cause, type);
  cause += ",\"message\":";
  append_json_string(cause, error_code_name(error.code()));
  return cause + ",\"stack\":[]}],\"paths\":[]}";
}

HttpHeaders error_headers(const Error& error, std::string_view type) {
  return {{"Content-Type", "application/json"},
          {"Lambda-Runtime-Function-Error-Type", std::string(type)},
          {"Lambda-Runtime-Function-XRay-Error-Cause", xray_cause(error, type)}};
}

}  // namespace

RuntimeClient::RuntimeClient(std::string_view api, const Waiting& waiting)
    : next_(parse_url("http://" + std::string(api), "AWS_LAMBDA_RUNTIME_API"), options_of(waiting)),
      post_(parse_url("http://" + std::string(api), "AWS_LAMBDA_RUNTIME_API"),
            options_of(without_cancellation(waiting))) {}

// Nothing, and why, where another try makes sense.
std::optional<Invocation> RuntimeClient::try_next(std::string& reason) {
  constexpr int kOk = 200, kGone = 410, kServerError = 500;
  try {
    HttpResponse response = next_.request({.target = std::string(kRuntime) + "invocation/next"},
                                          kMaxEvent, kNoDeadline);
    const HttpHead& head = response.head;
    if (head.status == kGone || head.status >= kServerError) {
      throw RuntimeApiError("the Lambda Runtime API says " + std::to_string(head.status) +
                            " to /next");
    }
    Invocation invocation{.id = header(head, "Lambda-Runtime-Aws-Request-Id"),
                          .event = std::move(response.body),
                          .deadline = parse_deadline(header(head, "Lambda-Runtime-Deadline-Ms")),
                          .trace_id = header(head, "Lambda-Runtime-Trace-Id"),
                          .tenant_id = header(head, "Lambda-Runtime-Aws-Tenant-Id")};
    if (head.status == kOk && is_request_id(invocation.id)) return invocation;
    reason = head.status == kOk ? "a response without a request id"
                                : "status " + std::to_string(head.status);
  } catch (const NetworkError& error) {
    reason = error.what();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kLimitExceeded) throw;
    reason = error.what();  // an event beyond what Lambda allows
  }
  return std::nullopt;
}

Invocation RuntimeClient::next() {
  std::string reason;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (std::optional<Invocation> invocation = try_next(reason)) return std::move(*invocation);
    next_.close();
  }
  throw RuntimeApiError("the Lambda Runtime API gives no work after " + std::to_string(kAttempts) +
                        " attempts: " + reason);
}

Posted RuntimeClient::post(const std::string& path, std::string_view body, HttpHeaders headers) {
  constexpr int kAccepted = 202, kTooLarge = 413, kServerError = 500;
  try {
    const HttpResponse response = post_.request({.method = "POST",
                                                 .target = std::string(kRuntime) + path,
                                                 .headers = std::move(headers),
                                                 .body = body,
                                                 .idempotent = false},
                                                kMaxReply, Clock().now() + kPostTimeout);
    const int status = response.head.status;
    if (status >= kServerError) {
      throw RuntimeApiError("the Lambda Runtime API says " + std::to_string(status) + " to /" +
                            path);
    }
    if (status == kTooLarge) return Posted::kTooLarge;
    return status == kAccepted || status == 200 ? Posted::kAccepted : Posted::kRefused;
  } catch (const NetworkError&) {
    return Posted::kRefused;
  }
}

Posted RuntimeClient::post_response(const std::string& id, std::string_view result) {
  return post("invocation/" + id + "/response", result, {{"Content-Type", "application/json"}});
}

Posted RuntimeClient::post_error(const std::string& id, const Error& error, std::string_view type) {
  return post("invocation/" + id + "/error", error_body(error, type), error_headers(error, type));
}

void RuntimeClient::post_init_error(const Error& error, std::string_view type) {
  post("init/error", error_body(error, type), error_headers(error, type));
}

}  // namespace lambert
