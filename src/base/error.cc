#include "base/error.h"

#include "base/utf8.h"

namespace lambert {

std::string_view error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return "invalid_argument";
    case ErrorCode::kInvalidInput: return "invalid_input";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kIo: return "io_error";
    case ErrorCode::kInvalidModel: return "invalid_model";
    case ErrorCode::kUnsupportedModel: return "unsupported_model";
    case ErrorCode::kLimitExceeded: return "limit_exceeded";
    case ErrorCode::kDeadlineExceeded: return "deadline_exceeded";
    case ErrorCode::kCancelled: return "cancelled";
    case ErrorCode::kInternal: return "internal";
  }
  return "internal";
}

namespace {

// Those that end a line, move the cursor or turn the direction of what follows: C0 and C1 controls,
// line and paragraph separator, marks, embeddings, overrides and isolates of bidirectional text.
bool forges_text(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

void append_hex(std::uint32_t number, int digits, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  while (--digits >= 0) out += kHex[number >> (4 * digits) & 15];
}

}  // namespace

std::string quote(std::string_view text, std::size_t limit) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    if (i >= limit) {  // never inside a code point
      out += "...";
      break;
    }
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) {
      out += "\\x";
      append_hex(static_cast<unsigned char>(text[i]), 2, out);
      ++i;
      continue;
    }
    const std::string_view bytes = text.substr(i, length);
    const char32_t c = decode_utf8(text, i);
    if (forges_text(c)) {
      out += c < 0x80 ? "\\x" : "\\u";
      append_hex(c, c < 0x80 ? 2 : 4, out);
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += bytes;
    }
  }
  return out + '"';
}

}  // namespace lambert
