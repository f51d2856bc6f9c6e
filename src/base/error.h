// Throwing lambert::Error with a message put together from parts.
#pragma once

#include <sstream>
#include <string>
#include <string_view>

#include "lambert/lambert.h"

namespace lambert {

// fail(ErrorCode::kNotFound, path, ": no such file; pass --model DIR")
template <typename... Parts>
[[noreturn]] void fail(ErrorCode code, const Parts&... parts) {
  std::ostringstream message;
  (message << ... << parts);
  throw Error(code, message.str());
}

// Text from outside, safe to put into a message: in quotes, cut after `limit` bytes, with what
// could forge a line or a terminal's output escaped, and bytes that are not UTF-8.
std::string quote(std::string_view text, std::size_t limit = 80);

}  // namespace lambert
