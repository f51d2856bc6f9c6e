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

// Text from outside, safe to put into a message: control bytes escaped, cut after `limit` bytes.
std::string quote(std::string_view text, std::size_t limit = 80);

}  // namespace lambert
