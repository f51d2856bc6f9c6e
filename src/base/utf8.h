// UTF-8: validation, decoding and encoding of code points.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lambert {

struct Utf8Check {
  std::size_t code_points = 0;            // before the error, if there is one
  std::optional<std::size_t> error_byte;  // offset of the first byte that is not well-formed
};

// Well-formed as the Unicode Standard, table 3-7, says: no overlong forms, no surrogates, nothing
// above U+10FFFF.
Utf8Check check_utf8(std::string_view text);

// Bytes of the well-formed code point at the front of `text`, which is not empty; 0 if there is
// none.
std::size_t utf8_length(std::string_view text);

// Number of code points of valid UTF-8.
std::size_t count_code_points(std::string_view text);

// All code points; U+FFFD for each byte that is not part of a well-formed sequence.
std::u32string decode_utf8(std::string_view text);

// `text` must consist of scalar values.
std::string encode_utf8(std::u32string_view text);

// Whether a byte of valid UTF-8 is the first one of a code point.
inline bool begins_code_point(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

// The code point that starts at `byte` of valid UTF-8; moves `byte` behind it.
inline char32_t decode_utf8(std::string_view text, std::size_t& byte) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const char32_t lead = at(byte);
  if (lead < 0x80) {
    ++byte;
    return lead;
  }
  const auto tail = [&](std::size_t i) -> char32_t { return at(byte + i) & 0x3Fu; };
  char32_t c = 0;
  if (lead < 0xE0) {
    c = (lead & 0x1F) << 6 | tail(1);
    byte += 2;
  } else if (lead < 0xF0) {
    c = (lead & 0x0F) << 12 | tail(1) << 6 | tail(2);
    byte += 3;
  } else {
    c = (lead & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3);
    byte += 4;
  }
  return c;
}

// Where the code point starts that ends before `byte` > 0 of valid UTF-8.
inline std::size_t code_point_before(std::string_view text, std::size_t byte) {
  do {
    --byte;
  } while (!begins_code_point(text[byte]));
  return byte;
}

inline char32_t decode_utf8_before(std::string_view text, std::size_t byte) {
  byte = code_point_before(text, byte);
  return decode_utf8(text, byte);
}

// Writes a scalar value's bytes to `out` and returns their number, 1 to 4.
inline std::size_t encode_utf8(char32_t c, char* out) {
  if (c < 0x80) {
    out[0] = static_cast<char>(c);
    return 1;
  }
  if (c < 0x800) {
    out[0] = static_cast<char>(0xC0 | c >> 6);
    out[1] = static_cast<char>(0x80 | (c & 0x3F));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = static_cast<char>(0xE0 | c >> 12);
    out[1] = static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out[2] = static_cast<char>(0x80 | (c & 0x3F));
    return 3;
  }
  out[0] = static_cast<char>(0xF0 | c >> 18);
  out[1] = static_cast<char>(0x80 | (c >> 12 & 0x3F));
  out[2] = static_cast<char>(0x80 | (c >> 6 & 0x3F));
  out[3] = static_cast<char>(0x80 | (c & 0x3F));
  return 4;
}

inline void append_utf8(char32_t c, std::string& out) {
  char bytes[4];
  out.append(bytes, encode_utf8(c, bytes));
}

}  // namespace lambert
