#include "eval/python_text.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "eval/python_text_tables.h"

namespace lambert {

namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr char32_t kCapitalSigma = 0x3A3, kSigma = 0x3C3, kFinalSigma = 0x3C2;
constexpr char32_t kCapitalDottedI = 0x130, kDotAbove = 0x307;

template <typename Range, std::size_t n>
const Range* find_range(const Range (&ranges)[n], char32_t c) {
  const Range* range =
      std::upper_bound(std::begin(ranges), std::end(ranges), c,
                       [](char32_t value, const Range& r) { return value < r.first; });
  if (range == std::begin(ranges)) return nullptr;
  --range;
  return c <= range->last ? range : nullptr;
}

// Whether the capital sigma at `at` ends a word (Unicode 14, section 3.13, Final_Sigma).
bool ends_word(std::u32string_view text, std::size_t at) {
  std::size_t before = at;
  while (before > 0 && find_range(kPythonIgnorable, text[before - 1]) != nullptr) --before;
  if (before == 0 || find_range(kPythonCased, text[before - 1]) == nullptr) return false;
  std::size_t after = at + 1;
  while (after < text.size() && find_range(kPythonIgnorable, text[after]) != nullptr) ++after;
  return after == text.size() || find_range(kPythonCased, text[after]) == nullptr;
}

char32_t simple_lower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
  const PythonLowerRange* range = find_range(kPythonLower, c);
  if (range == nullptr || (c - range->first) % range->step != 0) return c;
  return static_cast<char32_t>(static_cast<std::int32_t>(c) + range->delta);
}

}  // namespace

std::u32string decode_utf8(std::string_view text) {
  std::u32string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    const int more = lead < 0x80   ? 0
                     : lead < 0xC2 ? -1
                     : lead < 0xE0 ? 1
                     : lead < 0xF0 ? 2
                     : lead < 0xF5 ? 3
                                   : -1;
    char32_t c = more == 0 ? lead : lead & (0x3Fu >> std::max(more, 0));
    std::size_t end = i;
    while (more > 0 && end < text.size() && end - i < static_cast<std::size_t>(more) &&
           (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
      c = c << 6 | (static_cast<unsigned char>(text[end++]) & 0x3Fu);
    }
    const bool valid = more >= 0 && end - i == static_cast<std::size_t>(more);
    decoded += valid ? c : kReplacement;
    if (valid) i = end;
  }
  return decoded;
}

std::string encode_utf8(std::u32string_view text) {
  std::string encoded;
  for (const char32_t c : text) {
    if (c < 0x80) {
      encoded += static_cast<char>(c);
      continue;
    }
    const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    encoded += static_cast<char>((0xFF00u >> (more + 1) & 0xFFu) | c >> 6 * more);
    for (int k = more - 1; k >= 0; --k) {
      encoded += static_cast<char>(0x80u | (c >> 6 * k & 0x3Fu));
    }
  }
  return encoded;
}

std::u32string python_lower(std::u32string_view text) {
  std::u32string lowered;
  lowered.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == kCapitalSigma) {
      lowered += ends_word(text, i) ? kFinalSigma : kSigma;
    } else if (text[i] == kCapitalDottedI) {  // the only letter whose lower case has two
      lowered += U'i';
      lowered += kDotAbove;
    } else {
      lowered += simple_lower(text[i]);
    }
  }
  return lowered;
}

bool python_is_space(char32_t c) {
  return c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || c == 0x85 ||
         c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000;
}

bool python_is_word(char32_t c) {
  if (c < 0x80) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }
  return find_range(kPythonWord, c) != nullptr;
}

}  // namespace lambert
