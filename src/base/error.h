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
// Without these two, argument-dependent lookup would take std::quoted for a std::string wherever
// <iomanip> is included.
template <typename Traits, typename Allocator>
std::string quote(const std::basic_string<char, Traits, Allocator>& text, std::size_t limit = 80) {
  return quote(std::string_view(text), limit);
}
template <typename Traits, typename Allocator>
std::string quote(std::basic_string<char, Traits, Allocator>& text, std::size_t limit = 80) {
  return quote(std::string_view(text), limit);
}

}  // namespace lambert
