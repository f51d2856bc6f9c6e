// Properties of code points, exactly as the `tokenizers` 0.22 crate sees them (its tables are
// partly older and partly newer than any one version of Unicode).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lambert {

// Bits of CharRecord::flags.
enum CharFlag : std::uint8_t {
  kCleanRemoves = 1,    // clean_text drops it: controls, format characters, private use
  kCleanToSpace = 2,    // clean_text makes it a space
  kChinese = 4,         // handle_chinese_chars puts spaces around it
  kMarkNonspacing = 8,  // strip_accents drops it
  kPunctuation = 16,    // a word of its own
  kWhitespace = 32,     // between words
  kRegexWord = 64,      // \w, for added tokens that are single words
};

struct CharRecord {
  std::uint8_t flags = 0;
  std::uint8_t combining_class = 0;   // canonical, 0 for starters
  std::uint16_t decomposition = 0;    // of full canonical decomposition; 0: itself
  std::int32_t lower_case_delta = 0;  // to be added for the (first) lower-case character

  bool has(int any_of) const { return (flags & any_of) != 0; }
};

namespace unicode_tables {
extern const std::uint16_t kStage1[0x110000 / 128];  // (blocks of 128) -> block of kStage2
extern const std::uint16_t kStage2[];                // (block, 128) -> record
extern const CharRecord kRecords[];
extern const char32_t kDecompositions[];  // at CharRecord::decomposition: length, code points
}  // namespace unicode_tables

// `c` is a scalar value.
inline const CharRecord& char_record(char32_t c) {
  using namespace unicode_tables;
  return kRecords[kStage2[static_cast<std::size_t>(kStage1[c >> 7]) * 128 + (c & 127)]];
}

inline std::span<const char32_t> decomposition(const CharRecord& record) {
  const char32_t* entry = unicode_tables::kDecompositions + record.decomposition;
  return {entry + 1, static_cast<std::size_t>(entry[0])};
}

// The one character whose lower case is two: "i" and U+0307.
inline constexpr char32_t kCapitalIWithDot = 0x130;
inline constexpr char32_t kCombiningDotAbove = 0x307;

inline char32_t lower_case(char32_t c) {
  return static_cast<char32_t>(static_cast<std::int32_t>(c) + char_record(c).lower_case_delta);
}

// Hangul syllables decompose by arithmetic (Unicode Standard, section 3.12).
namespace hangul {
inline constexpr char32_t kFirst = 0xAC00, kLast = 0xD7A3;
inline constexpr char32_t kLeading = 0x1100, kVowel = 0x1161, kTrailing = 0x11A7;
inline constexpr char32_t kVowels = 21, kTrailings = 28;
}  // namespace hangul

}  // namespace lambert
