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
  EXPECT_LE(quote(std::string(1000, '\x80'), 10).size(), 24U);
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
