#include "serve/request_error.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "base/json.h"

namespace lambert {
namespace {

constexpr ErrorCode kCodes[] = {ErrorCode::kInvalidArgument, ErrorCode::kInvalidInput,
                                ErrorCode::kNotFound,        ErrorCode::kIo,
                                ErrorCode::kInvalidModel,    ErrorCode::kUnsupportedModel,
                                ErrorCode::kLimitExceeded,   ErrorCode::kDeadlineExceeded,
                                ErrorCode::kCancelled,       ErrorCode::kInternal};

TEST(RequestError, EveryCodeHasAStatusWithAPhrase) {
  for (const ErrorCode code : kCodes) {
    EXPECT_GE(http_status(code), 400);
    EXPECT_NE(reason_phrase(http_status(code)), "") << error_code_name(code);
  }
  EXPECT_EQ(http_status(ErrorCode::kInvalidInput), 422);
  EXPECT_EQ(http_status(ErrorCode::kLimitExceeded), 413);
  EXPECT_EQ(http_status(ErrorCode::kDeadlineExceeded), 504);
  EXPECT_EQ(http_status(ErrorCode::kNotFound), 500);
}

TEST(RequestError, TheStatusIsTheRequestErrorsWhereThereIsOne) {
  EXPECT_EQ(http_status(RequestError(ErrorCode::kNotFound, 404, "", "path")), 404);
  const Error plain(ErrorCode::kNotFound, "model");
  EXPECT_EQ(http_status(plain), 500);
}

TEST(RequestError, ProblemHasEveryMemberAndIsJsonWhateverTheMessage) {
  const RequestError error(ErrorCode::kInvalidInput, 422, "/questions/3", "bad \xFF\n\"x\"");
  const auto problem = parse_json(problem_json(error), "problem", ErrorCode::kInternal);
  EXPECT_EQ(problem.at("type").as_string(), "about:blank");
  EXPECT_EQ(problem.at("title").as_string(), "Unprocessable Content");
  EXPECT_EQ(problem.at("status").as_int64(), 422);
  EXPECT_EQ(problem.at("detail").as_string(), "bad \xEF\xBF\xBD\n\"x\"");
  EXPECT_EQ(problem.at("error"), problem.at("detail"));
  EXPECT_EQ(problem.at("error_type").as_string(), "invalid_input");
  EXPECT_EQ(problem.at("errors").at(0).at("pointer").as_string(), "#/questions/3");
  const auto plain =
      parse_json(problem_json(Error(ErrorCode::kInternal, "x")), "problem", ErrorCode::kInternal);
  EXPECT_FALSE(plain.as_object().contains("errors"));
}

// (Runtime|Function)\.[A-Z][a-zA-Z]+
bool is_error_type(std::string_view type) {
  const std::size_t dot = type.find('.');
  const std::string_view category = type.substr(0, dot);
  if (dot == type.npos || (category != "Runtime" && category != "Function")) return false;
  const std::string_view reason = type.substr(dot + 1);
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto letter = [&](char c) { return upper(c) || (c >= 'a' && c <= 'z'); };
  return reason.size() > 1 && upper(reason.front()) &&
         std::all_of(reason.begin(), reason.end(), letter);
}

TEST(RequestError, TypesAreAsTheRuntimeApiWantsThem) {
  for (const ErrorCode code : kCodes) {
    for (const bool init : {false, true}) {
      const std::string type(error_type(Error(code, "x"), init));
      EXPECT_TRUE(is_error_type(type)) << type;
    }
  }
  EXPECT_EQ(error_type(Error(ErrorCode::kInvalidInput, "x")), "Function.BadEvent");
  EXPECT_EQ(error_type(Error(ErrorCode::kInvalidArgument, "x"), true), "Runtime.ConfigError");
  EXPECT_EQ(error_type(Error(ErrorCode::kInvalidModel, "x"), true), "Runtime.ModelLoadError");
}

}  // namespace
}  // namespace lambert
