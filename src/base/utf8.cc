#include "base/utf8.h"

#include <cstring>

namespace lambert {

namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080;

}  // namespace

std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto is_tail = [&](std::size_t i) { return i < text.size() && (at(i) & 0xC0) == 0x80; };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4 || !is_tail(1)) return 0;
  if (lead < 0xE0) return 2;
  if (!is_tail(2)) return 0;
  const unsigned char second = at(1);
  if (lead < 0xF0) {
    if (lead == 0xE0 && second < 0xA0) return 0;   // overlong
    if (lead == 0xED && second >= 0xA0) return 0;  // surrogate
    return 3;
  }
  if (!is_tail(3)) return 0;
  if (lead == 0xF0 && second < 0x90) return 0;   // overlong
  if (lead == 0xF4 && second >= 0x90) return 0;  // above U+10FFFF
  return 4;
}

Utf8Check check_utf8(std::string_view text) {
  Utf8Check check;
  std::size_t i = 0;
  while (i < text.size()) {
    std::uint64_t word = 0;
    while (i + sizeof(word) <= text.size()) {
      std::memcpy(&word, text.data() + i, sizeof(word));
      if ((word & kHighBits) != 0) break;
      i += sizeof(word);
      check.code_points += sizeof(word);
    }
    if (i == text.size()) break;
    std::size_t length = 1;
    if (static_cast<unsigned char>(text[i]) >= 0x80) length = utf8_length(text.substr(i));
    if (length == 0) {
      check.error_byte = i;
      break;
    }
    i += length;
    ++check.code_points;
  }
  return check;
}

std::size_t count_code_points(std::string_view text) {
  std::size_t count = 0;
  for (const char byte : text) count += static_cast<std::size_t>(begins_code_point(byte));
  return count;
}

std::u32string decode_utf8(std::string_view text) {
  constexpr char32_t kReplacement = 0xFFFD;
  std::u32string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (utf8_length(text.substr(i)) > 0) {
      decoded += decode_utf8(text, i);
    } else {
      decoded += kReplacement;
      ++i;
    }
  }
  return decoded;
}

std::string encode_utf8(std::u32string_view text) {
  std::string encoded;
  encoded.reserve(text.size());
  for (const char32_t c : text) append_utf8(c, encoded);
  return encoded;
}

}  // namespace lambert
