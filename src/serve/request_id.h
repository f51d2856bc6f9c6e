// How a request is named in logs and replies.
#pragma once

#include <string>

#include "net/http_message.h"

namespace lambert {

// The client's X-Request-Id, where it is 1 to 128 printable ASCII characters without blanks; else a
// new one.
std::string request_id(const HttpRequestHead& head);

// 32 hexadecimal digits that no other has.
std::string new_request_id();

// The trace of a valid traceparent (W3C Trace Context, 3.2), else what X-Amzn-Trace-Id says, "".
std::string trace_id(const HttpRequestHead& head);

}  // namespace lambert
