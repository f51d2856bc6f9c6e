// What HTTP has to say about an error: its status and its body, the same for every front end.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace lambert {

inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kProblemType = "application/problem+json";

// A request that was refused, with the status where the code alone does not say it, and with the
// place in the request's JSON (RFC 6901, "/questions/3"; "": the whole of it, or none).
class RequestError : public Error {
 public:
  RequestError(ErrorCode code, int status, std::string pointer, const std::string& message)
      : Error(code, message), status_(status), pointer_(std::move(pointer)) {}
  int status() const noexcept { return status_; }
  const std::string& pointer() const noexcept { return pointer_; }

 private:
  int status_;
  std::string pointer_;
};

// 422 what was asked for cannot be; 413 too large; 503 cancelled (a server that stops); 504
// deadline; 500 everything else. What is no JSON or no HTTP that is understood has a RequestError
// of its own.
int http_status(ErrorCode code);
int http_status(const Error& error);  // the RequestError's, else that of the code

std::string_view reason_phrase(int status);  // "Not Found"; "" for a status that is not used here

// RFC 9457, of type kProblemType: {"type":"about:blank","title":"Unprocessable
// Content","status":422,
// "detail":M,"errors":[{"pointer":"#/question","detail":M}],"error":M,"error_type":"invalid_input"}.
// `error` is what clients of the service before Lambert read; `errors` is absent without a pointer.
std::string problem_json(const Error& error);

// The name of the error for the Lambda Runtime API, header and body: "Function.BadEvent". While
// the function starts (`init`) a bad argument is the configuration's, not the event's.
std::string_view error_type(const Error& error, bool init = false);

}  // namespace lambert
