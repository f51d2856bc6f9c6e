// Events of every shape, on the default model; tests/serve/data/events/README.md says where they
// are from.
#include "serve/lambda_event.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "../code_of.h"
#include "data_file.h"
#include "engine.h"

namespace lambert {
namespace {

namespace json = boost::json;

constexpr const char* kQuestion =
    R"({"question":"Who wrote the first program?","context":"Ada Lovelace wrote the first program in 1843."})";

EventResult handle(std::string_view event, const EventSettings& settings = {}) {
  return handle_event(event, {}, test::engine(), settings);
}

json::value parsed(std::string_view text) {
  return parse_json(text, "result", ErrorCode::kInternal);
}

json::value event_of(const std::string& name) {
  return parsed(test::read_data("events/" + name + ".json"));
}

json::value envelope(const json::value& event, const EventSettings& settings = {}) {
  return parsed(handle(json::serialize(event), settings).json);
}

int status(const json::value& event, const EventSettings& settings = {}) {
  return static_cast<int>(envelope(event, settings).at("statusCode").as_int64());
}

std::string header(const json::value& result, const char* name) {
  const json::value* value = result.at("headers").as_object().if_contains(name);
  return value != nullptr ? std::string(value->as_string()) : "";
}

TEST(LambdaEvent, EveryShapeIsAnsweredByteForByte) {
  const std::map<std::string, std::string_view> shapes = {
      {"alb", "alb"},
      {"alb_multi_value", "alb"},
      {"bare_body", "bare body"},
      {"direct", "direct"},
      {"function_url_base64", "http-v2"},
      {"http_v1", "http-v1"},
      {"http_v2", "http-v2"},
      {"http_v2_get_stage", "http-v2"},
      {"rest_v1", "http-v1"},
      {"rest_v1_base_path", "http-v1"},
      {"scheduled", "warm-up"},
      {"sqs", "sqs"},
      {"warmup_plugin", "warm-up"},
  };
  for (const auto& [name, shape] : shapes) {
    const EventResult result = handle(test::read_data("events/" + name + ".json"));
    EXPECT_EQ(result.json + "\n", test::read_data("results/" + name + ".json")) << name;
    EXPECT_EQ(result.shape, shape) << name;
    EXPECT_EQ(result.status, 200) << name;
  }
}

TEST(LambdaEvent, AnAlbHearsOfTheStatusInWordsAndOfItsOwnKindOfHeaders) {
  const json::value health = envelope(event_of("alb_health_check"));
  EXPECT_EQ(health.at("statusDescription").as_string(), "200 OK");
  EXPECT_EQ(parsed(health.at("body").as_string()).at("status").as_string(), "ok");
  json::value event = event_of("alb_multi_value");
  event.as_object()["path"] = "/nowhere";
  const json::value result = envelope(event);
  EXPECT_EQ(result.at("statusDescription").as_string(), "404 Not Found");
  EXPECT_FALSE(result.as_object().contains("headers"));
  EXPECT_EQ(result.at("multiValueHeaders").at("Content-Type").at(0).as_string(),
            "application/problem+json");
}

TEST(LambdaEvent, AQueryOfAnAlbIsDecodedHere) {
  json::value event = event_of("alb");
  event.as_object()["httpMethod"] = "GET";
  event.as_object()["queryStringParameters"] = {{"question", "Who%20wrote+it%3F"},
                                                {"context", "Ada%20wrote+it."}};
  const json::value result = envelope(event);
  EXPECT_EQ(parsed(result.at("body").as_string()).at("answer").as_string(), "Ada");
  event = event_of("rest_v1");  // a REST API has decoded it
  event.as_object()["httpMethod"] = "GET";
  event.as_object()["queryStringParameters"] = {{"question", "Who wrote 100%25?"},
                                                {"context", "100%25"}};
  EXPECT_EQ(parsed(envelope(event).at("body").as_string()).at("answer").as_string(), "100%25");
}

TEST(LambdaEvent, ABodyMayBeMissingOrBeJsonOrBase64) {
  json::value event = event_of("rest_v1");
  json::object& object = event.as_object();
  for (const json::value& body : {json::value(nullptr), json::value(""), json::value(5),
                                  json::value(true), json::value("{")}) {
    object["body"] = body;
    EXPECT_EQ(status(event), 400) << body;
  }
  object.erase("body");
  EXPECT_EQ(status(event), 400);
  object["body"] = parsed(kQuestion);
  EXPECT_EQ(status(event), 200);
  object["body"] = json::array{parsed(kQuestion)};
  EXPECT_EQ(status(event), 200);
  object["body"] = std::string("\xEF\xBB\xBF") + kQuestion;
  EXPECT_EQ(status(event), 200);
  object["isBase64Encoded"] = true;
  for (const auto& [body, expected] : std::map<std::string, int>{{"e30=", 422},
                                                                 {"e30", 422},
                                                                 {"e30==", 400},
                                                                 {"e3 0", 400},
                                                                 {"_-8=", 400},
                                                                 {"/w==", 400}}) {
    object["body"] = body;
    EXPECT_EQ(status(event), expected) << body;
  }
  object["isBase64Encoded"] = nullptr;
  object["body"] = kQuestion;
  EXPECT_EQ(status(event), 200);
}

TEST(LambdaEvent, HeadersMayBeNullAndTheirNamesAreInAnyCase) {
  json::value event = event_of("rest_v1");
  for (const char* name : {"headers", "multiValueHeaders"}) event.as_object()[name] = nullptr;
  EXPECT_EQ(status(event), 200);
  for (const char* name : {"content-encoding", "Content-Encoding", "CONTENT-ENCODING"}) {
    event.as_object()["headers"] = {{name, "gzip"}};
    EXPECT_EQ(status(event), 415) << name;
    event.as_object()["headers"] = {{name, "Identity"}};
    EXPECT_EQ(status(event), 200) << name;
  }
  event.as_object()["headers"] = nullptr;
  event.as_object()["multiValueHeaders"] = {{"content-encoding", {"br"}}, {"other", 5}};
  EXPECT_EQ(status(event), 415);
}

TEST(LambdaEvent, MethodsArePreflightHeadAndWhatThePathAllows) {
  json::value event = event_of("http_v2");
  const auto with = [&](const char* method) {
    event.at("requestContext").at("http").as_object()["method"] = method;
    return envelope(event);
  };
  json::value result = with("OPTIONS");
  EXPECT_EQ(result.at("statusCode").as_int64(), 204);
  EXPECT_EQ(result.at("body").as_string(), "");
  EXPECT_EQ(header(result, "Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(header(result, "Access-Control-Allow-Methods"), "GET, HEAD, OPTIONS, POST");
  result = with("DELETE");
  EXPECT_EQ(result.at("statusCode").as_int64(), 405);
  EXPECT_EQ(header(result, "Allow"), "GET, HEAD, OPTIONS, POST");
  EXPECT_EQ(header(result, "Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(with("GET").at("statusCode").as_int64(), 422);  // without a query
  result = with("HEAD");
  EXPECT_EQ(result.at("statusCode").as_int64(), 422);
  EXPECT_EQ(result.at("body").as_string(), "");
}

TEST(LambdaEvent, PathsMayHaveAStageASlashOrABasePath) {
  json::value event = event_of("http_v2");
  event.as_object()["routeKey"] = "$default";
  event.at("requestContext").as_object()["stage"] = "prod";
  for (const auto& [path, expected] : std::map<std::string, int>{{"/ask", 200},
                                                                 {"/ask/", 200},
                                                                 {"/prod/ask", 200},
                                                                 {"/prod/ask/", 200},
                                                                 {"/prod", 200},
                                                                 {"/", 200},
                                                                 {"", 200},
                                                                 {"/production/ask", 404},
                                                                 {"/health", 405},
                                                                 {"/ask/x", 404},
                                                                 {"/qa/ask", 404},
                                                                 {"ask", 404}}) {
    event.as_object()["rawPath"] = path;
    EXPECT_EQ(status(event), expected) << path;
  }
  event.as_object()["rawPath"] = "/qa/ask";  // the gateway says that it matched
  event.as_object()["routeKey"] = "POST /ask";
  EXPECT_EQ(status(event), 200);
  event.as_object()["routeKey"] = "ANY /{proxy+}";
  event.as_object()["pathParameters"] = {{"proxy", "ask"}};
  EXPECT_EQ(status(event), 200);
}

TEST(LambdaEvent, AStageNamedLikeThePathIsNoTrouble) {
  json::value event = event_of("rest_v1");
  event.at("requestContext").as_object()["stage"] = "ask";
  EXPECT_EQ(status(event), 200);
}

TEST(LambdaEvent, CorsHeadersCanBeSetAndLeftOut) {
  EventSettings settings;
  settings.service.cors_origin = "https://example.org";
  EXPECT_EQ(header(envelope(event_of("http_v2"), settings), "Access-Control-Allow-Origin"),
            "https://example.org");
  settings.service.cors_origin = "";
  EXPECT_EQ(json::serialize(envelope(event_of("http_v2"), settings).at("headers")),
            R"({"Content-Type":"application/json"})");
}

TEST(LambdaEvent, ALongReplyIsAnErrorThatSaysSo) {
  EventSettings settings;
  settings.max_reply_bytes = 200;
  settings.max_alb_reply_bytes = 100;
  json::value result = envelope(event_of("http_v2"), settings);
  EXPECT_EQ(result.at("statusCode").as_int64(), 413);
  EXPECT_NE(result.at("body").as_string().find("at most 200 can be returned"), json::string::npos);
  result = envelope(event_of("alb"), settings);
  EXPECT_EQ(result.at("statusCode").as_int64(), 413);
  EXPECT_NE(result.at("body").as_string().find("at most 100"), json::string::npos);
  settings.max_reply_bytes = 40;
  EXPECT_EQ(code_of([&] { handle(kQuestion, settings); }), ErrorCode::kLimitExceeded);
}

TEST(LambdaEvent, APassedDeadlineIs504) {
  const EventContext passed{std::chrono::steady_clock::time_point::min()};
  const std::string event = test::read_data("events/rest_v1.json");
  const EventResult result = handle_event(event, passed, test::tiny_engine(), {});
  EXPECT_EQ(result.status, 504);
  EXPECT_EQ(result.error, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(code_of([&] { handle_event(kQuestion, passed, test::tiny_engine(), {}); }),
            ErrorCode::kDeadlineExceeded);
}

TEST(LambdaEvent, AMessageThatFailsIsNamedAndTheOthersAreNot) {
  const EventResult result = handle(test::read_data("events/sqs.json"));
  EXPECT_EQ(result.failed_records, 2U);
  EXPECT_EQ(result.stats.questions, 2U);
  json::value event = event_of("sqs");
  event.at("Records").at(2).as_object().erase("messageId");
  EXPECT_EQ(code_of([&] { handle(json::serialize(event)); }), ErrorCode::kInvalidInput);
  event.at("Records") = json::array{event.at("Records").at(0)};
  EXPECT_EQ(handle(json::serialize(event)).json, R"({"batchItemFailures":[]})");
}

TEST(LambdaEvent, WarmUpIsKnownByItsSource) {
  EXPECT_EQ(handle(R"({"warmer":true,"concurrency":3})").shape, "warm-up");
  EXPECT_EQ(handle(R"({"source":"aws.events"})").shape, "warm-up");
  EXPECT_EQ(
      handle(R"({"source":"aws.events","detail":{"question":"a"},"question":"a","context":"b"})")
          .shape,
      "direct");
  EXPECT_EQ(code_of([] { handle(R"({"warmer":false})"); }), ErrorCode::kInvalidInput);
}

TEST(LambdaEvent, DirectRequestsAnswerPlainlyAndFailWithAnError) {
  EXPECT_EQ(parsed(handle(kQuestion).json).at("answer").as_string(), "Ada Lovelace");
  const std::string array = std::string("[") + kQuestion + "]";
  EXPECT_EQ(parsed(handle(array).json).at(0).at("answer").as_string(), "Ada Lovelace");
  const std::string inputs = std::string("{\"inputs\":") + kQuestion + "}";
  EXPECT_EQ(parsed(handle(inputs).json).at("answer").as_string(), "Ada Lovelace");
  for (const char* event :
       {"", "{", "5", "null", "\"text\"", "{}", R"({"question":"a"})",
        R"({"question":5,"context":"b"})", R"({"Records":[{"eventSource":"aws:s3"}]})",
        R"({"Records":[]})", "{\"question\":\"\xFF\"}",
        "{\"question\":\"\\ud800\",\"context\":\"a\"}", R"({"question":"a","context":NaN})"}) {
    EXPECT_EQ(code_of([&] { handle(event); }), ErrorCode::kInvalidInput) << event;
  }
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  EXPECT_EQ(code_of([&] { handle(deep); }), ErrorCode::kInvalidInput);
}

TEST(LambdaEvent, TextsWithNulAndOfSixMegabytesAreAnswered) {
  const json::value nul =
      envelope(parsed(R"({"body":"{\"question\":\"a\\u0000\",\"context\":\"\\u0000b\"}"})"));
  EXPECT_EQ(nul.at("statusCode").as_int64(), 200);
  // With one word, so there is one window.
  const std::size_t room = EventSettings{}.max_event_bytes - 40;
  const std::string event =
      R"({"question":"who","context":")" + std::string(room - 4, ' ') + R"(abc"})";
  EXPECT_LE(event.size(), EventSettings{}.max_event_bytes);
  EXPECT_EQ(handle_event(event, {}, test::tiny_engine(), {}).stats.windows, 1U);
  EXPECT_EQ(code_of([&] { handle(event + std::string(60, ' ')); }), ErrorCode::kLimitExceeded);
}

TEST(LambdaEvent, SettingsComeFromTheEnvironment) {
  std::map<std::string, const char*> variables;
  const auto environment = [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found != variables.end() ? found->second : nullptr;
  };
  EXPECT_FALSE(read_event_settings(environment).compat_2020);
  EXPECT_EQ(read_event_settings(environment).service.cors_origin, "*");
  variables = {{"LAMBERT_COMPAT", "2020"}, {"LAMBERT_CORS_ORIGIN", ""}};
  EXPECT_TRUE(read_event_settings(environment).compat_2020);
  EXPECT_EQ(read_event_settings(environment).service.cors_origin, "");
  for (const auto& wrong : {std::pair{"LAMBERT_COMPAT", "2021"}, std::pair{"LAMBERT_COMPAT", "yes"},
                            std::pair{"LAMBERT_CORS_ORIGIN", "a\r\nb"}}) {
    variables = {wrong};
    EXPECT_EQ(code_of([&] { read_event_settings(environment); }), ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace lambert
