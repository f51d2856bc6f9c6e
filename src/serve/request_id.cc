#include "serve/request_id.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <random>

#include "net/ascii.h"

namespace lambert {

namespace {

bool is_name(std::string_view text) {
  constexpr std::size_t kMost = 128;
  return !text.empty() && text.size() <= kMost &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7F'; });
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_ascii_digit(c) || (c >= 'a' && c <= 'f'); });
}

}  // namespace

std::string request_id(const HttpRequestHead& head) {
  const std::string* given = head.find("X-Request-Id");
  return given != nullptr && is_name(*given) ? *given : new_request_id();
}

std::string new_request_id() {
  static const std::uint64_t process = [] {
    std::random_device random;
    return std::uint64_t{random()} << 32 | random();
  }();
  static std::atomic<std::uint64_t> next = 0;
  char text[40];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(process),
                static_cast<unsigned long long>(next++));
  return text;
}

std::string trace_id(const HttpRequestHead& head) {
  // version-trace-parent-flags, "00-" and 32, 16, 2 digits
  constexpr std::size_t kTrace = 3, kTraceSize = 32, kSize = 55;
  if (const std::string* parent = head.find("traceparent")) {
    std::string trace =
        parent->size() >= kSize ? parent->substr(kTrace, kTraceSize) : std::string();
    if (parent->starts_with("00-") && is_hex(trace) &&
        trace.find_first_not_of('0') != std::string::npos) {
      return trace;
    }
  }
  const std::string* amazon = head.find("X-Amzn-Trace-Id");
  return amazon != nullptr && is_name(*amazon) ? *amazon : "";
}

}  // namespace lambert
