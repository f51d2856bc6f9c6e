// What goes wrong between this process and another.
#pragma once

#include <sstream>
#include <string>

#include "lambert/lambert.h"

namespace lambert {

enum class Retry { kNo, kYes };  // whether the same request may well succeed a little later

class NetworkError : public Error {
 public:
  NetworkError(Retry retry, const std::string& message, ErrorCode code = ErrorCode::kIo)
      : Error(code, message), retry_(retry) {}
  bool retryable() const noexcept { return retry_ == Retry::kYes; }

 private:
  Retry retry_;
};

// The peer closed or reset the connection: on one that was idle no loss, see HttpConnection.
class ConnectionLost final : public NetworkError {
 public:
  explicit ConnectionLost(const std::string& message) : NetworkError(Retry::kYes, message) {}
};

// network_fail(Retry::kYes, host, ": connection refused")
template <typename... Parts>
[[noreturn]] void network_fail(Retry retry, const Parts&... parts) {
  std::ostringstream message;
  (message << ... << parts);
  throw NetworkError(retry, message.str());
}

}  // namespace lambert
