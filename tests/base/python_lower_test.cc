#include "base/python_lower.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <iomanip>
#include <sstream>

#include "base/utf8.h"

namespace lambert::test {
namespace {

std::string lowered(std::string_view text) {
  std::string result = "to be replaced";
  python_lower(text, result);
  EXPECT_EQ(encode_utf8(python_lower(decode_utf8(text))), result);
  return result;
}

// FNV-1a of (before + c + after).lower() for all scalars c.
std::string digest(const std::string& before, const std::string& after) {
  std::uint64_t value = 0xCBF29CE484222325U;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string text = before;
    append_utf8(c, text);
    for (const char byte : lowered(text + after)) {
      value = (value ^ static_cast<unsigned char>(byte)) * 0x100000001B3U;
    }
  }
  std::ostringstream out;
  out << std::hex << std::setw(16) << std::setfill('0') << value;
  return out.str();
}

TEST(PythonLower, AllScalarsAreThoseOfPython) {
  std::ifstream file(LAMBERT_SOURCE_DIR "/tests/base/data/python_lower.txt");
  ASSERT_TRUE(file);
  std::string line, expected, before, after;
  std::getline(file, line);  // the title
  int compared = 0;
  while (file >> expected >> before >> after) {
    if (before == "-") before.clear();
    if (after == "-") after.clear();
    EXPECT_EQ(digest(before, after), expected) << '"' << before << "\" c \"" << after << '"';
    ++compared;
  }
  EXPECT_EQ(compared, 5);
}

TEST(PythonLower, SigmaIsFinalAtTheEndOfAWord) {
  EXPECT_EQ(lowered("ΟΔΥΣΣΕΥΣ"), "οδυσσευς");
  EXPECT_EQ(lowered("Σ"), "σ");
  EXPECT_EQ(lowered("ΑΣ. ΑΣΑ Α.Σ"), "ας. ασα α.ς");
  EXPECT_EQ(lowered("ΑΣ'Α ΑΣ'"), "ασ'α ας'");
}

TEST(PythonLower, OneLetterBecomesTwoCodePoints) {
  EXPECT_EQ(lowered("İstanbul"), "i̇stanbul");
}

TEST(PythonLower, AsciiAndEmptyText) {
  EXPECT_EQ(lowered(""), "");
  EXPECT_EQ(lowered("AZaz@[`{09"), "azaz@[`{09");
}

}  // namespace
}  // namespace lambert::test
