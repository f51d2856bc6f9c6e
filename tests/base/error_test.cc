#include "base/error.h"

#include <gtest/gtest.h>

#include <iomanip>
#include <set>

namespace lambert {
namespace {

TEST(Error, CarriesCodeAndMessage) {
  try {
    fail(ErrorCode::kNotFound, "a", 1, std::string("b"), 2.5);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_STREQ(error.what(), "a1b2.5");
    return;
  }
  FAIL() << "fail() returned";
}

TEST(Error, CodesHaveDistinctNames) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    names.insert(error_code_name(static_cast<ErrorCode>(code)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(ErrorCode::kInternal) + 1);
  EXPECT_EQ(error_code_name(ErrorCode::kInvalidModel), "invalid_model");
}

TEST(Quote, EscapesWhatCouldForgeAMessageOrATerminal) {
  EXPECT_EQ(quote("plain"), "\"plain\"");
  EXPECT_EQ(quote(""), "\"\"");
  EXPECT_EQ(quote("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(quote(std::string("\n\x1b[0m\0\x7f", 7)), "\"\\x0a\\x1b[0m\\x00\\x7f\"");
  EXPECT_EQ(quote("\xC3\xA9"), "\"\xC3\xA9\"");
}

TEST(Quote, CutsBetweenCodePoints) {
  EXPECT_EQ(quote("abcdef", 6), "\"abcdef\"");
  EXPECT_EQ(quote("abcdef", 5), "\"abcde...\"");
  // The third byte lies inside the second code point, which is kept whole.
  EXPECT_EQ(quote("\xC3\xA9\xC3\xA9z", 3), "\"\xC3\xA9\xC3\xA9...\"");
  EXPECT_EQ(quote("\xC3\xA9\xC3\xA9", 3), "\"\xC3\xA9\xC3\xA9\"");
}

TEST(Quote, EndlessContinuationBytesAreCutToo) {
  EXPECT_LE(quote(std::string(1000, '\x80'), 10).size(), 45U);
}

// They passed unchanged: a terminal obeys C1 controls, and shows the text behind an override
// backwards.
TEST(Quote, EscapesControlsAbove7FAndWhatTurnsTheDirection) {
  EXPECT_EQ(quote("\u0080\u009b31m\u009f\u00a0"), "\"\\u0080\\u009b31m\\u009f\u00a0\"");
  EXPECT_EQ(quote("\u200d\u200e\u200f\u2010"), "\"\u200d\\u200e\\u200f\u2010\"");
  EXPECT_EQ(quote("\u2027\u2028\u2029\u202f"), "\"\u2027\\u2028\\u2029\u202f\"");
  EXPECT_EQ(quote("\u202a\u202e\u2066\u2069\u061c"), "\"\\u202a\\u202e\\u2066\\u2069\\u061c\"");
}

TEST(Quote, EscapesBytesThatAreNotUtf8) {
  EXPECT_EQ(quote("a\x80\xC3z"), "\"a\\x80\\xc3z\"");
  EXPECT_EQ(quote("\xED\xA0\x80"), "\"\\xed\\xa0\\x80\"");
  EXPECT_EQ(quote("\xF0\x9F\x98"), "\"\\xf0\\x9f\\x98\"");
  EXPECT_EQ(quote("\U0001f600"), "\"\U0001f600\"");
}

// quoted() was taken for std::quoted wherever <iomanip> was included.
TEST(Quote, OfAStdStringIsOursWithIomanip) {
  std::string text = "a\nb";
  const std::string& constant = text;
  EXPECT_EQ(quote(text), "\"a\\x0ab\"");
  EXPECT_EQ(quote(constant, 1), "\"a...\"");
}

}  // namespace
}  // namespace lambert
