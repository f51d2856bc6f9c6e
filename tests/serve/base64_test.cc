#include "serve/base64.h"

#include <gtest/gtest.h>

namespace lambert {
namespace {

TEST(Base64, DecodesWithAndWithoutPadding) {
  // RFC 4648, section 10.
  EXPECT_EQ(decode_base64(""), "");
  EXPECT_EQ(decode_base64("Zg=="), "f");
  EXPECT_EQ(decode_base64("Zg"), "f");
  EXPECT_EQ(decode_base64("Zm8="), "fo");
  EXPECT_EQ(decode_base64("Zm8"), "fo");
  EXPECT_EQ(decode_base64("Zm9vYmFy"), "foobar");
  EXPECT_EQ(decode_base64("+/8A"), std::string("\xFB\xFF\0", 3));
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* text : {"Z", "Zg=", "Zg===", "====", "=", "Z===", "Zm9v=", "Zm9vYg=a", "Zm 9v",
                           "Zm9v\n", "Zm-_", "Z=g=", "\xC3\xA9"}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace lambert
