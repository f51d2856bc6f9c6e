// The Lambda Runtime API, as one poller speaks it (AWS, "Building a custom runtime"):
// http://<host:port>/2018-06-01/runtime/...
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "lambert/lambert.h"
#include "net/http_client.h"

namespace lambert {

struct Invocation {
  std::string id;
  std::string event;
  std::optional<std::chrono::system_clock::time_point> deadline;  // when Lambda ends the invocation
  std::string trace_id, tenant_id;  // X-Ray and tenant isolation; "": none
};

// Lambda's own end of the conversation is broken: the process has to end, and Lambda starts
// another.
class RuntimeApiError : public Error {
 public:
  explicit RuntimeApiError(const std::string& message) : Error(ErrorCode::kIo, message) {}
};

// What became of a post.
enum class Posted { kAccepted, kTooLarge, kRefused };  // refused: too late, or not our turn

// Keeps two connections, of which `cancel` ends only the one that waits for work. For one thread.
class RuntimeClient {
 public:
  // `api` is host:port, as AWS_LAMBDA_RUNTIME_API has it. Throws kInvalidArgument.
  RuntimeClient(std::string_view api, const Waiting& waiting);

  // Waits for work without limit: meanwhile the process may be frozen for hours. Tries again where
  // the connection fails or the response is none, kAttempts times in all; then, or when Lambda says
  // 500 or 410, throws RuntimeApiError. Throws kCancelled.
  Invocation next();

  // Tells the result. Throws RuntimeApiError when Lambda says 500; a connection that fails counts
  // as refused, since nobody knows what arrived.
  Posted post_response(const std::string& id, std::string_view result);
  Posted post_error(const std::string& id, const Error& error, std::string_view type);
  // Why the function cannot start. The process has to end after it.
  void post_init_error(const Error& error, std::string_view type);

  static constexpr int kAttempts = 3;

 private:
  std::optional<Invocation> try_next(std::string& reason);
  Posted post(const std::string& path, std::string_view body, HttpHeaders headers);

  HttpConnection next_, post_;
};

}  // namespace lambert
