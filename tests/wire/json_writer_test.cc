#include "wire/json_writer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>

namespace lambert {
namespace {

std::string written(double number) {
  std::string out;
  append_json_number(out, number);
  return out;
}

// With an exponent where that is shorter: counts are not for this function.
TEST(JsonWriter, NumbersAreAsShortAsTheyCanBe) {
  EXPECT_EQ(written(1.0), "1");
  EXPECT_EQ(written(0.0), "0");
  EXPECT_EQ(written(-2.5), "-2.5");
  EXPECT_EQ(written(12345.0), "12345");
  EXPECT_EQ(written(1e5), "1e+05");
  EXPECT_EQ(written(1e22), "1e+22");
}

TEST(JsonWriter, NumbersThatJsonHasNotAreNull) {
  EXPECT_EQ(written(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(written(std::numeric_limits<double>::quiet_NaN()), "null");
}

TEST(JsonWriter, DoublesComeBackBitForBit) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t bits = random();
    double number = 0;
    std::memcpy(&number, &bits, sizeof number);
    if (number != number || number - number != 0) continue;
    EXPECT_EQ(std::strtod(written(number).c_str(), nullptr), number) << written(number);
  }
}

TEST(JsonWriter, FloatsComeBackBitForBit) {
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    const auto bits = static_cast<std::uint32_t>(random());
    float number = 0;
    std::memcpy(&number, &bits, sizeof number);
    if (number != number || number - number != 0) continue;
    std::string out;
    append_json_number(out, number);
    EXPECT_EQ(std::strtof(out.c_str(), nullptr), number) << out;
  }
}

TEST(JsonWriter, EveryByteBelow128ComesBack) {
  std::string text;
  for (char c = 0; c < 127; ++c) text += c;
  text += "\x7F\xC3\xA4\xF0\x9F\x98\x80";
  std::string out;
  append_json_string(out, text);
  EXPECT_EQ(out.find('\n'), std::string::npos);
  EXPECT_EQ(parse_json(out, "text", ErrorCode::kInternal).as_string(), text);
}

TEST(JsonWriter, ScalarsAreWrittenAsTheyWereRead) {
  for (const char* text : {"7", "-9223372036854775808", "18446744073709551615", "\"a\\\"b\"", "0.1",
                           "true", "false", "null"}) {
    EXPECT_EQ(scalar_json(parse_json(text, "scalar", ErrorCode::kInternal)), text);
  }
  EXPECT_EQ(scalar_json(parse_json("[1]", "scalar", ErrorCode::kInternal)), "null");
}

}  // namespace
}  // namespace lambert
