#include "wire/result_line.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace lambert {
namespace {

TEST(ResultLine, AnswersInOrderOnOneLine) {
  Result result;
  result.answers.push_back({"Äda\n", 0.5, 0, 4});
  result.answers.push_back({"", 0.25, 0, 0});
  EXPECT_EQ(result_line("\"q\"", result),
            R"({"id":"q","answers":[{"answer":"Äda\n","score":0.5,"start":0,"end":4},)"
            R"({"answer":"","score":0.25,"start":0,"end":0}]})");
  EXPECT_EQ(result_line("", Result{}), R"({"answers":[]})");
}

TEST(ResultLine, ErrorsNameTheirCode) {
  EXPECT_EQ(error_line("3", Error(ErrorCode::kInvalidInput, "line 3: \"x\"")),
            R"({"id":3,"error":{"code":"invalid_input","message":"line 3: \"x\""}})");
}

TEST(ResultLine, MessagesThatQuoteBrokenTextStayValidJson) {
  for (const std::string text : {"\xFF", "a\xC3", "\xED\xA0\x80", "\xE0\x80\x80",
                                 "\xF5\x80\x80\x80", "\xC0\x80", "ok \xF0\x9F\x98"}) {
    const auto value =
        parse_json(error_line("", Error(ErrorCode::kIo, text)), "line", ErrorCode::kInternal);
    const auto& message = value.at("error").at("message").as_string();
    EXPECT_NE(message.find("\xEF\xBF\xBD"), boost::json::string::npos);
  }
  const auto value =
      parse_json(error_line("", Error(ErrorCode::kIo, "ä€😀")), "line", ErrorCode::kInternal);
  EXPECT_EQ(value.at("error").at("message").as_string(), "ä€😀");
}

}  // namespace
}  // namespace lambert
