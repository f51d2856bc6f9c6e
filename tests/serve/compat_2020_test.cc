// Byte for byte against the Python service (tools/goldens/compat_2020.py), on the default model.
#include "serve/compat_2020.h"

#include <gtest/gtest.h>

#include <set>

#include "../code_of.h"
#include "base/json.h"
#include "data_file.h"
#include "engine.h"
#include "serve/lambda_event.h"

namespace lambert {
namespace {

constexpr auto kNever = std::chrono::steady_clock::time_point::max();

TEST(Compat2020, EveryGoldenIsEqualByteForByte) {
  std::set<std::string> replies;
  std::size_t answers = 0;
  for (const std::string& line : test::read_lines("compat_2020.jsonl")) {
    const auto golden = parse_json(line, "golden", ErrorCode::kInvalidInput);
    const std::string event(golden.at(0).as_string()), expected(golden.at(1).as_string());
    const Reply2020 reply = answer_as_2020(event, test::engine(), kNever);
    EXPECT_EQ(reply.envelope, expected) << event.substr(0, 300);
    EXPECT_EQ(reply.status, expected.starts_with("{\"statusCode\": 200") ? 200 : 500);
    replies.insert(reply.envelope);
    answers += reply.status == 200 ? 1 : 0;
  }
  EXPECT_GT(answers, 50U);
  EXPECT_GT(replies.size(), 60U);
}

TEST(Compat2020, AnswersTheExampleAsPublished) {
  const auto example = parse_json(test::read_data("example_2020.json"), "example_2020.json",
                                  ErrorCode::kInvalidInput);
  for (const auto& item : example.at("questions").as_array()) {
    const boost::json::value body = {{"question", item.at("question")},
                                     {"context", example.at("context")}};
    const boost::json::value event = {{"body", boost::json::serialize(body)}};
    EventSettings settings;
    settings.compat_2020 = true;
    const EventResult result =
        handle_event(boost::json::serialize(event), {}, test::engine(), settings);
    EXPECT_NE(result.json.find(std::string(item.at("answer_2020").as_string())), std::string::npos)
        << result.json;
    EXPECT_EQ(result.shape, "compat 2020");
  }
}

TEST(Compat2020, RefusesTokensInPlaceOfTextWhichTheServiceTook) {
  for (const char* context : {"null", "[\"ada\"]", "[1]"}) {
    const std::string event =
        std::string(R"({"body":"{\"question\":\"a\",\"context\":)") +
        (std::string_view(context) == "[\"ada\"]" ? "[\\\"ada\\\"]" : context) + "}\"}";
    const Reply2020 reply = answer_as_2020(event, test::tiny_engine(), kNever);
    EXPECT_EQ(reply.status, 500);
    EXPECT_NE(reply.envelope.find("ValueError('Input is not valid."), std::string::npos)
        << reply.envelope;
  }
}

TEST(Compat2020, APassedDeadlineIsATimeoutError) {
  const Reply2020 reply =
      answer_as_2020(R"({"body":"{\"question\":\"a\",\"context\":\"b\"}"})", test::tiny_engine(),
                     std::chrono::steady_clock::time_point::min());
  EXPECT_EQ(reply.status, 500);
  EXPECT_NE(reply.envelope.find("TimeoutError("), std::string::npos) << reply.envelope;
}

TEST(Compat2020, AnEventThatIsNoJsonNeverReachesTheHandler) {
  for (const char* event : {"", "{", "{\"body\": \"\xFF\"}"}) {
    EXPECT_EQ(code_of([&] { answer_as_2020(event, test::tiny_engine(), kNever); }),
              ErrorCode::kInvalidInput);
  }
}

}  // namespace
}  // namespace lambert
