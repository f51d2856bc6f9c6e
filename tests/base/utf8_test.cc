#include "base/utf8.h"

#include <gtest/gtest.h>

namespace lambert::test {
namespace {

TEST(Utf8, EveryScalarGoesThereAndBack) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    const std::string bytes = encode_utf8(std::u32string(1, c));
    const Utf8Check check = check_utf8(bytes);
    ASSERT_FALSE(check.error_byte) << static_cast<unsigned>(c);
    ASSERT_EQ(check.code_points, 1U);
    ASSERT_EQ(count_code_points(bytes), 1U);
    ASSERT_EQ(decode_utf8(bytes), std::u32string(1, c));
    ASSERT_EQ(decode_utf8_before("a" + bytes, bytes.size() + 1), c);
  }
}

TEST(Utf8, TheFirstBadByteIsNamed) {
  const std::string ahead = "0123456789ab\xC3\xA9";  // 13 code points, 14 bytes
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3z", "\xE0\x9F\xBF", "\xE4\xB8", "\xED\xA0\x80",
        "\xF0\x8F\xBF\xBF", "\xF0\x9F\x98", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    const Utf8Check check = check_utf8(ahead + bad);
    EXPECT_EQ(check.error_byte, 14U) << bad;
    EXPECT_EQ(check.code_points, 13U) << bad;
  }
}

TEST(Utf8, StrayBytesBecomeReplacementCharacters) {
  EXPECT_EQ(decode_utf8("a\xFF\xC3z\xE4\xB8"), U"a\uFFFD\uFFFDz\uFFFD\uFFFD");
  EXPECT_EQ(decode_utf8("\xED\xA0\x80"), U"\uFFFD\uFFFD\uFFFD");
}

}  // namespace
}  // namespace lambert::test
