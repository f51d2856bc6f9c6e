#include "qa/lower.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "qa/lower_tables.h"
#include "text/utf8.h"

namespace lambert {
namespace {

constexpr char32_t kCapitalSigma = 0x3A3, kSigma = 0x3C3, kFinalSigma = 0x3C2;
constexpr char32_t kCapitalDottedI = 0x130, kDotAbove = 0x307;

void append(char32_t c, std::string& utf8) {
  char bytes[4];
  utf8.append(bytes, encode_utf8(c, bytes));
}

template <typename Range, std::size_t n>
const Range* find_range(const Range (&ranges)[n], char32_t c) {
  const Range* range =
      std::upper_bound(std::begin(ranges), std::end(ranges), c,
                       [](char32_t value, const Range& r) { return value < r.first; });
  if (range == std::begin(ranges)) return nullptr;
  --range;
  return c <= range->last ? range : nullptr;
}

char32_t simple_lower(char32_t c) {
  const LowerRange* range = find_range(kLowerRanges, c);
  if (range == nullptr || (c - range->first) % range->step != 0) return c;
  return static_cast<char32_t>(static_cast<std::int32_t>(c) + range->delta);
}

// Whether the capital sigma at `at` ends a word: a cased letter before it and none after, looking
// past case-ignorable characters (Unicode 14, section 3.13, Final_Sigma).
bool ends_word(const std::u32string& text, std::size_t at) {
  std::size_t before = at;
  while (before > 0 && find_range(kCaseIgnorable, text[before - 1]) != nullptr) --before;
  if (before == 0 || find_range(kCased, text[before - 1]) == nullptr) return false;
  std::size_t after = at + 1;
  while (after < text.size() && find_range(kCaseIgnorable, text[after]) != nullptr) ++after;
  return after == text.size() || find_range(kCased, text[after]) == nullptr;
}

void lower_code_points(std::string_view text, std::string& lowered) {
  std::u32string code_points;
  for (std::size_t i = 0; i < text.size();) code_points.push_back(decode_utf8(text, i));
  for (std::size_t i = 0; i < code_points.size(); ++i) {
    const char32_t c = code_points[i];
    if (c == kCapitalSigma) {
      append(ends_word(code_points, i) ? kFinalSigma : kSigma, lowered);
    } else if (c == kCapitalDottedI) {  // the only letter whose lower case has two
      append(U'i', lowered);
      append(kDotAbove, lowered);
    } else {
      append(simple_lower(c), lowered);
    }
  }
}

}  // namespace

void lower(std::string_view text, std::string& lowered) {
  lowered.clear();
  const bool ascii = std::all_of(text.begin(), text.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (!ascii) return lower_code_points(text, lowered);
  for (const char c : text) {
    lowered.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c);
  }
}

}  // namespace lambert
