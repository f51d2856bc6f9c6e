// Against CPython 3.8.18 (tools/goldens/python_json.py).
#include "serve/python_json.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/utf8.h"
#include "data_file.h"

namespace lambert {
namespace {

std::string outcome(std::string_view text) {
  try {
    return std::string(python_json_loads(decode_utf8(text)).type_name());
  } catch (const PythonError& error) {
    return error.repr();
  }
}

TEST(PythonJson, ReadsAndFailsAsPythonDoes) {
  std::size_t compared = 0;
  for (const std::string& line : test::read_lines("python_json.jsonl")) {
    const auto golden = parse_json(line, "golden", ErrorCode::kInvalidInput);
    const std::string text(golden.at(0).as_string());
    EXPECT_EQ(outcome(text), golden.at(1).as_string()) << line.substr(0, 200);
    if (golden.as_array().size() > 2) {
      EXPECT_EQ(python_json_dumps(text), golden.at(2).as_string()) << line.substr(0, 200);
      ++compared;
    }
  }
  EXPECT_GT(compared, 500U);
}

TEST(PythonJson, KeepsTheMembersOfTheOuterObjectAndTheLastOfAName) {
  const PythonValue value =
      python_json_loads(UR"({"a": 1, "a": "x\ud83d\ude00\ud83d", "b": {"a": "in"}, "c": [1]})");
  EXPECT_EQ(value.at("a").text, std::u32string(U"x\U0001F600") + char32_t{0xD83D});
  EXPECT_EQ(value.at("b").type_name(), "dict");
  EXPECT_EQ(value.at("c").type_name(), "list");
}

TEST(PythonJson, RefusesToSubscriptAsPythonDoes) {
  const auto repr = [](std::u32string_view text) -> std::string {
    try {
      python_json_loads(text).at("k");
    } catch (const PythonError& error) {
      return error.repr();
    }
    return "";
  };
  EXPECT_EQ(repr(U"{}"), "KeyError('k')");
  EXPECT_EQ(repr(U"[]"), "TypeError('list indices must be integers or slices, not str')");
  EXPECT_EQ(repr(U"\"k\""), "TypeError('string indices must be integers')");
  EXPECT_EQ(repr(U"null"), "TypeError(\"'NoneType' object is not subscriptable\")");
  EXPECT_EQ(repr(U"-1.5"), "TypeError(\"'float' object is not subscriptable\")");
}

TEST(PythonJson, QuotesAsReprDoes) {
  EXPECT_EQ(PythonError("E", "a\\b").repr(), "E('a\\\\b')");
  EXPECT_EQ(PythonError("E", "it's").repr(), "E(\"it's\")");
  EXPECT_EQ(PythonError("E", "it's \"so\"").repr(), "E('it\\'s \"so\"')");
}

}  // namespace
}  // namespace lambert
