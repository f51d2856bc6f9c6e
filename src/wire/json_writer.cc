#include "wire/json_writer.h"

#include <charconv>
#include <cmath>

#include "base/utf8.h"

namespace lambert {

namespace {

template <typename Number>
void append_shortest(std::string& out, Number number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string valid_utf8(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    valid += length > 0 ? text.substr(0, length) : std::string_view("\xEF\xBF\xBD");
    text.remove_prefix(length > 0 ? length : 1);
  }
  return valid;
}

void append_json_number(std::string& out, double number) {
  append_shortest(out, number);
}
void append_json_number(std::string& out, float number) {
  append_shortest(out, number);
}

std::string scalar_json(const boost::json::value& value) {
  std::string out;
  if (const auto* text = value.if_string()) {
    append_json_string(out, *text);
  } else if (const auto* number = value.if_int64()) {
    out = std::to_string(*number);
  } else if (const auto* large = value.if_uint64()) {
    out = std::to_string(*large);
  } else if (const auto* real = value.if_double()) {
    append_json_number(out, *real);
  } else if (const auto* flag = value.if_bool()) {
    out = *flag ? "true" : "false";
  } else {
    out = "null";
  }
  return out;
}

}  // namespace lambert
