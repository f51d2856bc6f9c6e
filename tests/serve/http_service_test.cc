#include "serve/http_service.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine.h"

namespace lambert {
namespace {

constexpr const char* kBody = R"({"question":"who","context":"ada wrote it"})";

ServiceReply serve(const char* method, const char* path, const char* body = "",
                   const ServiceSettings& settings = {}) {
  ServiceRequest request;
  request.method = method;
  request.paths = {path};
  request.body = body;
  return serve_http(request, test::tiny_engine(), settings, {});
}

std::string header(const ServiceReply& reply, std::string_view name) {
  for (const auto& [key, value] : reply.headers) {
    if (key == name) return value;
  }
  return "";
}

TEST(HttpService, RoutesByPathAndMethod) {
  const struct {
    const char *method, *path, *body;
    int status;
  } cases[] = {
      {"POST", "/ask", kBody, 200}, {"POST", "/ask/", kBody, 200}, {"POST", "/", kBody, 200},
      {"POST", "/ask", "", 400},    {"POST", "/ask", "{}", 422},   {"GET", "/ask", "", 422},
      {"GET", "/", "", 200},        {"GET", "/health", "", 200},   {"GET", "/ping", "", 200},
      {"HEAD", "/health", "", 200}, {"POST", "/health", "", 405},  {"PUT", "/ask", kBody, 405},
      {"POST", "/Ask", kBody, 404}, {"GET", "/ask/it", "", 404},   {"OPTIONS", "/x", "", 204},
      {"get", "/health", "", 405},  {"", "/ask", "", 405},         {"POST", "//", kBody, 200},
  };
  for (const auto& one : cases) {
    const ServiceReply reply = serve(one.method, one.path, one.body);
    EXPECT_EQ(reply.status, one.status) << one.method << ' ' << one.path;
    EXPECT_EQ(reply.error.has_value(), one.status >= 400);
    EXPECT_EQ(header(reply, "Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(header(reply, "Content-Type"), one.status == 204   ? ""
                                             : one.status == 200 ? kJsonType
                                                                 : kProblemType);
    EXPECT_EQ(header(reply, "Allow").empty(), one.status != 405);
  }
}

TEST(HttpService, HealthSaysWhatAnswers) {
  const ServiceReply reply = serve("GET", "/health");
  const auto health = parse_json(reply.body, "health", ErrorCode::kInternal);
  EXPECT_EQ(health.at("status").as_string(), "ok");
  EXPECT_EQ(health.at("model_type").as_string(), "distilbert");
  EXPECT_EQ(health.at("max_seq_len").as_int64(), 128);
  EXPECT_EQ(serve("HEAD", "/health").body, "");
}

TEST(HttpService, AQuestionMayStandInTheQuery) {
  ServiceRequest request;
  request.method = "GET";
  request.paths = {"/unknown", "/ask"};
  request.query = {{"question", "who"}, {"context", "ada wrote it"}, {"top_k", 2}};
  const ServiceReply reply = serve_http(request, test::tiny_engine(), {}, {});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.stats.answers, 2U);
}

TEST(HttpService, ErrorsOfTensorsPointToTheirElements) {
  const auto infer = [](const std::string& questions, const std::string& contexts,
                        const std::string& more = "") {
    const std::string body =
        R"({"inputs":[{"name":"question","shape":[3],"datatype":"BYTES","data":)" + questions +
        R"(},{"name":"context","shape":[1],"datatype":"BYTES","data":)" + contexts + "}]" + more +
        '}';
    const ServiceReply reply = serve("POST", "/v2/models/x/infer", body.c_str());
    EXPECT_EQ(reply.status, 422) << reply.body;
    const auto problem = parse_json(reply.body, "problem", ErrorCode::kInternal);
    const auto& error = problem.at("errors").at(0);
    return std::string(error.at("pointer").as_string()) + ' ' +
           std::string(error.at("detail").as_string());
  };
  const char* const three = R"(["who","when","what"])";
  EXPECT_EQ(infer(R"(["who","when",""])", R"(["it"])"),
            "#/inputs/0/data/2 /inputs/0/data/2: is empty");
  EXPECT_EQ(infer(R"(["who",7,"what"])", R"(["it"])"),
            "#/inputs/0/data/1 /inputs/0/data/1: must be a string, found a number");
  EXPECT_EQ(infer(three, R"([""])"), "#/inputs/1/data/0 /inputs/1/data/0: is empty");
  EXPECT_TRUE(
      infer(three, R"(["it"])", R"(,"parameters":{"top_k":0})").starts_with("#/parameters/top_k "));
  EXPECT_EQ(infer(three, R"(["it"])", R"(,"outputs":[{"name":"start"},7])"),
            "#/outputs/1 /outputs/1: must be an object");
}

TEST(HttpService, ABodyAboveTheLimitIs413) {
  ServiceSettings settings;
  settings.max_body_bytes = 20;
  EXPECT_EQ(serve("POST", "/ask", kBody, settings).status, 413);
}

}  // namespace
}  // namespace lambert
