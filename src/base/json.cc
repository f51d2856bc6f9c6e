#include "base/json.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace lambert {

namespace json = boost::json;

namespace {

// A SAX handler that counts values and compares the keys of every object; it stops at the first
// offence. Keys are sorted, not hashed: 32,768 that collide in the library's hash took 8 s.
struct Checker {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  JsonLimits limits;
  std::size_t values = 0;
  std::vector<std::string> keys;    // of all open objects, outer ones first
  std::vector<std::size_t> begins;  // (open objects) where in keys its own begin
  std::string key;                  // the parts of it that have come
  std::optional<std::string> repeated;

  bool count(json::error_code& error) {
    if (++values <= limits.max_values) return true;
    error = json::error::syntax;
    return false;
  }
  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code& error) {
    begins.push_back(keys.size());
    return count(error);
  }
  bool on_object_end(std::size_t, json::error_code& error) {
    const auto begin = keys.begin() + static_cast<std::ptrdiff_t>(begins.back());
    std::sort(begin, keys.end());
    if (const auto same = std::adjacent_find(begin, keys.end()); same != keys.end()) {
      repeated = *same;
      error = json::error::syntax;
      return false;
    }
    keys.erase(begin, keys.end());
    begins.pop_back();
    return true;
  }
  bool on_array_begin(json::error_code& error) { return count(error); }
  bool on_array_end(std::size_t, json::error_code&) { return true; }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    if (limits.refuse_duplicate_keys) key.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code&) {
    if (!limits.refuse_duplicate_keys) return true;
    key.append(part.data(), part.size());
    keys.push_back(std::move(key));
    key.clear();
    return true;
  }
  bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_string(json::string_view, std::size_t, json::error_code& error) { return count(error); }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, json::error_code& error) { return count(error); }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code& error) { return count(error); }
  bool on_double(double, json::string_view, json::error_code& error) { return count(error); }
  bool on_bool(bool, json::error_code& error) { return count(error); }
  bool on_null(json::error_code& error) { return count(error); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }
};

// What is not JSON is left to the parser, which says where.
void check(std::string_view text, std::string_view source, ErrorCode code, const JsonLimits& limits,
           const json::parse_options& options) {
  json::basic_parser<Checker> checker(options);
  checker.handler().limits = limits;
  json::error_code error;
  checker.write_some(false, text.data(), text.size(), error);
  const Checker& found = checker.handler();
  if (found.repeated) {
    fail(code, source, ": the key ", quote(*found.repeated), " stands there twice");
  }
  if (found.values > limits.max_values) {
    fail(ErrorCode::kLimitExceeded, source, ": JSON of more than ", limits.max_values,
         " values, which is the most that is accepted");
  }
}

bool all_finite(const json::value& value) {
  if (const auto* number = value.if_double()) return std::isfinite(*number);
  if (const auto* array = value.if_array()) {
    for (const auto& element : *array) {
      if (!all_finite(element)) return false;
    }
  } else if (const auto* object = value.if_object()) {
    for (const auto& member : *object) {
      if (!all_finite(member.value())) return false;
    }
  }
  return true;
}

}  // namespace

json::value parse_json(std::string_view text, std::string_view source, ErrorCode code,
                       const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    fail(ErrorCode::kLimitExceeded, source, ": JSON of ", text.size(), " bytes, at most ",
         limits.max_bytes, " are accepted");
  }
  json::parse_options options;
  options.max_depth = limits.max_depth;
  if (limits.refuse_duplicate_keys || text.size() > limits.max_values) {  // a value has a byte
    check(text, source, code, limits, options);
  }
  json::parser parser({}, options);
  // Shared: each part of the value keeps the memory alive. One block instead of 30,000 loads the
  // default model's tokenizer in 5.9 ms instead of 6.2, a second time in 4.5 instead of 5.1.
  parser.reset(json::make_shared_resource<json::monotonic_resource>(text.size()));
  json::error_code error;
  const std::size_t used = parser.write_some(text.data(), text.size(), error);
  if (error) {
    fail(code, source, ": not valid JSON at byte ", used, ": ", error.message());
  }
  if (used != text.size() && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos) {
    fail(code, source, ": more text after the JSON value, at byte ", used);
  }
  json::value value = parser.release();
  if (limits.refuse_overflow && !all_finite(value)) {
    fail(code, source, ": a number is too large for a double");
  }
  return value;
}

}  // namespace lambert
