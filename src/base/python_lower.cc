#include "base/python_lower.h"

#include <algorithm>
#include <cstdint>

#include "base/python_lower_tables.h"
#include "base/utf8.h"

namespace lambert {
namespace {

constexpr char32_t kCapitalSigma = 0x3A3, kSigma = 0x3C3, kFinalSigma = 0x3C2;
constexpr char32_t kCapitalDottedI = 0x130, kDotAbove = 0x307;

bool is_ascii(char32_t c) {
  return c < 0x80;
}
char32_t lower_ascii(char32_t c) {
  return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

char32_t simple_lower(char32_t c) {
  if (is_ascii(c)) return lower_ascii(c);
  const LowerRange* range = find_range(kLowerRanges, c);
  if (range == nullptr || (c - range->first) % range->step != 0) return c;
  return static_cast<char32_t>(static_cast<std::int32_t>(c) + range->delta);
}

// Whether the capital sigma at `at` ends a word: a cased letter before it and none after, looking
// past case-ignorable characters (Unicode 14, section 3.13, Final_Sigma).
bool ends_word(std::u32string_view text, std::size_t at) {
  std::size_t before = at;
  while (before > 0 && find_range(kCaseIgnorable, text[before - 1]) != nullptr) --before;
  if (before == 0 || find_range(kCased, text[before - 1]) == nullptr) return false;
  std::size_t after = at + 1;
  while (after < text.size() && find_range(kCaseIgnorable, text[after]) != nullptr) ++after;
  return after == text.size() || find_range(kCased, text[after]) == nullptr;
}

// Calls put(char32_t) for each code point of the result.
template <typename Put>
void lower_each(std::u32string_view text, const Put& put) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == kCapitalSigma) {
      put(ends_word(text, i) ? kFinalSigma : kSigma);
    } else if (text[i] == kCapitalDottedI) {  // the only letter whose lower case has two
      put(U'i');
      put(kDotAbove);
    } else {
      put(simple_lower(text[i]));
    }
  }
}

}  // namespace

std::u32string python_lower(std::u32string_view text) {
  std::u32string lowered;
  lowered.reserve(text.size());
  lower_each(text, [&](char32_t c) { lowered += c; });
  return lowered;
}

void python_lower(std::string_view text, std::string& lowered) {
  lowered.clear();
  const auto ascii = [](char c) { return is_ascii(static_cast<unsigned char>(c)); };
  if (std::all_of(text.begin(), text.end(), ascii)) {
    for (const char c : text) lowered += static_cast<char>(lower_ascii(static_cast<char32_t>(c)));
  } else {
    lower_each(decode_utf8(text), [&](char32_t c) { append_utf8(c, lowered); });
  }
}

}  // namespace lambert
