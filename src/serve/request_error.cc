#include "serve/request_error.h"

#include "wire/json_writer.h"

namespace lambert {

namespace {

void append_member(std::string& out, std::string_view name, std::string_view text) {
  append_json_string(out, name);
  out += ':';
  append_json_string(out, text);
}

}  // namespace

int http_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kInvalidInput: return 422;
    case ErrorCode::kLimitExceeded: return 413;
    case ErrorCode::kCancelled: return 503;
    case ErrorCode::kDeadlineExceeded: return 504;
    case ErrorCode::kNotFound:  // of the model's files: not the client's
    case ErrorCode::kIo:
    case ErrorCode::kInvalidModel:
    case ErrorCode::kUnsupportedModel:
    case ErrorCode::kInternal: return 500;
  }
  return 500;
}

int http_status(const Error& error) {
  const auto* refused = dynamic_cast<const RequestError*>(&error);
  return refused != nullptr ? refused->status() : http_status(error.code());
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 499: return "Client Closed Request";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "";
  }
}

std::string problem_json(const Error& error) {
  const int status = http_status(error);
  const std::string message = valid_utf8(error.what());
  std::string out = R"({"type":"about:blank",)";
  append_member(out, "title", reason_phrase(status));
  out += ",\"status\":" + std::to_string(status) + ',';
  append_member(out, "detail", message);
  const auto* refused = dynamic_cast<const RequestError*>(&error);
  if (refused != nullptr && !refused->pointer().empty()) {
    out += ",\"errors\":[{";
    append_member(out, "pointer", '#' + refused->pointer());
    out += ',';
    append_member(out, "detail", message);
    out += "}]";
  }
  out += ',';
  append_member(out, "error", message);
  out += ',';
  append_member(out, "error_type", error_code_name(error.code()));
  return out + '}';
}

std::string_view error_type(const Error& error, bool init) {
  switch (error.code()) {
    case ErrorCode::kInvalidArgument: return init ? "Runtime.ConfigError" : "Function.BadEvent";
    case ErrorCode::kInvalidInput: return "Function.BadEvent";
    case ErrorCode::kLimitExceeded: return init ? "Runtime.OutOfMemory" : "Function.LimitExceeded";
    case ErrorCode::kDeadlineExceeded: return "Function.DeadlineExceeded";
    case ErrorCode::kCancelled: return "Function.Cancelled";
    case ErrorCode::kNotFound:
    case ErrorCode::kIo:
    case ErrorCode::kInvalidModel:
    case ErrorCode::kUnsupportedModel:
      return init ? "Runtime.ModelLoadError" : "Function.ModelError";
    case ErrorCode::kInternal: return "Function.InternalError";
  }
  return "Function.InternalError";
}

}  // namespace lambert
