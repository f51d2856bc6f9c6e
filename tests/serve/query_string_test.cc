#include "serve/query_string.h"

#include <gtest/gtest.h>

namespace lambert {
namespace {

TEST(QueryString, DecodesPercentAndPlus) {
  EXPECT_EQ(decode_component("a%20b+c%2B%C3%a9"), "a b c+\xC3\xA9");
  EXPECT_EQ(decode_component("100%"), "100%");
  EXPECT_EQ(decode_component("%4"), "%4");
  EXPECT_EQ(decode_component("%zz%41"), "%zzA");
  EXPECT_EQ(decode_component("%00"), std::string("\0", 1));
}

TEST(QueryString, TextsStayTextAndParametersBecomeScalars) {
  const auto query = parse_query(
      "question=42&context=true&top_k=3&handle_impossible_answer=true"
      "&score_threshold=0.5&mode=squad&empty&=x&&a=1&a=2&q=%22x%22");
  EXPECT_EQ(query.at("question").as_string(), "42");
  EXPECT_EQ(query.at("context").as_string(), "true");
  EXPECT_EQ(query.at("top_k").as_int64(), 3);
  EXPECT_TRUE(query.at("handle_impossible_answer").as_bool());
  EXPECT_EQ(query.at("score_threshold").as_double(), 0.5);
  EXPECT_EQ(query.at("mode").as_string(), "squad");
  EXPECT_EQ(query.at("empty").as_string(), "");
  EXPECT_EQ(query.at("a").as_int64(), 2);
  EXPECT_EQ(query.at("q").as_string(), "\"x\"");
}

}  // namespace
}  // namespace lambert
