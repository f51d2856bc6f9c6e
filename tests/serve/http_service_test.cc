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

TEST(HttpService, ABodyAboveTheLimitIs413) {
  ServiceSettings settings;
  settings.max_body_bytes = 20;
  EXPECT_EQ(serve("POST", "/ask", kBody, settings).status, 413);
}

}  // namespace
}  // namespace lambert
