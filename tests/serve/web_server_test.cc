// The server from its sockets: what comes in, what goes out, and when it says no.
#include "serve/web_server.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <future>

#include "serve/content_coding.h"
#include "web_client.h"

namespace lambert {
namespace {

using test::get;
using test::post;
using test::RunningServer;
using test::web_settings;
using test::WebClient;

constexpr const char* kBody = R"({"question":"who wrote it ?","context":"the notes in a b c"})";

std::string header(const HttpResponse& response, const char* name) {
  const std::string* value = response.head.find(name);
  return value != nullptr ? *value : "";
}

TEST(WebServer, AnswersAsTheServiceDoes) {
  RunningServer running;
  const Answerer alone = test::open_tiny();
  ServiceRequest request;
  request.method = "POST";
  request.body = kBody;
  WebClient client(running.server());
  for (const char* path : {"/ask", "/", "/models/org/name", "/invocations"}) {
    request.paths = {path};
    const ServiceReply expected = serve_http(request, alone, web_settings().service, {});
    const HttpResponse response = client.ask(post(path, kBody));
    EXPECT_EQ(response.head.status, 200);
    EXPECT_EQ(response.body, expected.body);
    EXPECT_EQ(header(response, "Content-Type"), kJsonType);
    EXPECT_EQ(header(response, "Connection"), "keep-alive");
    EXPECT_NE(header(response, "Date"), "");
  }
}

TEST(WebServer, PipelinedRequestsAreAnsweredInOrder) {
  RunningServer running;
  WebClient client(running.server());
  client.send(post("/ask", kBody, "X-Request-Id: 1\r\n") + get("/livez", "X-Request-Id: 2\r\n") +
              post("/ask", "{}", "X-Request-Id: 3\r\n") + get("/nothing", "X-Request-Id: 4\r\n") +
              get("/livez", "X-Request-Id: 5\r\nConnection: close\r\n"));
  const int statuses[] = {200, 200, 422, 404, 200};
  for (int i = 0; i < 5; ++i) {
    const HttpResponse response = client.read();
    EXPECT_EQ(response.head.status, statuses[i]);
    EXPECT_EQ(header(response, "X-Request-Id"), std::to_string(i + 1));
  }
  EXPECT_TRUE(client.at_end());
}

TEST(WebServer, WhatIsNotUnderstoodIsSaidAndClosed) {
  WebServerSettings settings = web_settings();
  settings.http.max_body_bytes = 1000;
  RunningServer running(settings);
  const std::string head = "POST /ask HTTP/1.1\r\nHost: a\r\n";
  const struct {
    std::string text;
    int status;
  } cases[] = {
      {"hello\r\n\r\n", 400},
      {"\x16\x03\x01", 400},
      {head + "Transfer-Encoding: xchunked\r\n\r\n", 501},
      {head + "A: " + std::string(40'000, 'a') + "\r\n\r\n", 431},
      {head + "Content-Length: 1001\r\n\r\n", 413},
      {head + "Transfer-Encoding: chunked\r\n\r\n500\r\n" + std::string(0x500, 'a'), 413},
      {"GET / HTTP/3.0\r\n\r\n", 505},
  };
  for (const auto& one : cases) {
    WebClient client(running.server());
    const HttpResponse response = client.ask(one.text);
    EXPECT_EQ(response.head.status, one.status) << one.text;
    EXPECT_EQ(header(response, "Content-Type"), kProblemType);
    EXPECT_EQ(header(response, "Connection"), "close");
    EXPECT_TRUE(client.at_end());
  }
}

TEST(WebServer, ARefusedBodyIsCountedByItsRouteAndKeepsTheIdOfItsRequest) {
  WebServerSettings settings = web_settings();
  settings.http.max_body_bytes = 1000;
  RunningServer running(settings);
  const std::string head = "POST /ask HTTP/1.1\r\nHost: a\r\nX-Request-Id: id-1\r\n";
  for (const char* rest :
       {"Content-Length: 1001\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nfff\r\n"}) {
    WebClient client(running.server());
    const HttpResponse response = client.ask(head + rest + std::string(1001, 'a'));
    EXPECT_EQ(response.head.status, 413) << rest;
    EXPECT_EQ(header(response, "X-Request-Id"), "id-1") << rest;
  }
  WebClient client(running.server());
  const std::string metrics = client.ask(get("/metrics")).body;
  EXPECT_NE(metrics.find("http_request_method=\"POST\",http_route=\"/ask\","
                         "http_response_status_code=\"413\"} 2\n"),
            std::string::npos)
      << metrics;
}

TEST(WebServer, ErrorsOfRequestsKeepTheConnection) {
  RunningServer running;
  WebClient client(running.server());
  EXPECT_EQ(client.ask(post("/ask", "{")).head.status, 400);
  EXPECT_EQ(client.ask(post("/ask", "{}")).head.status, 422);
  EXPECT_EQ(client.ask("PUT /ask HTTP/1.1\r\nHost: a\r\n\r\n").head.status, 405);
  EXPECT_EQ(client.ask(post("/ask", kBody)).head.status, 200);
}

TEST(WebServer, HeadIsGetWithoutItsBody) {
  RunningServer running;
  WebClient client(running.server());
  client.send("HEAD /livez HTTP/1.1\r\nHost: a\r\n\r\n");
  const HttpResponse response = client.read(true);
  EXPECT_EQ(response.head.status, 200);
  EXPECT_EQ(client.ask(get("/livez")).body, "{\"status\":\"ok\"}");
}

TEST(WebServer, PagesAreTheSameCompressedAndNot) {
  RunningServer running;
  WebClient client(running.server());
  for (const char* path : {"/", "/docs", "/openapi.json"}) {
    const HttpResponse plain = client.ask(get(path)), again = client.ask(get(path));
    const HttpResponse packed = client.ask(get(path, "Accept-Encoding: gzip\r\n"));
    EXPECT_GT(plain.body.size(), packed.body.size()) << path;
    EXPECT_EQ(plain.body, again.body);
    EXPECT_EQ(header(plain, "Content-Encoding"), "");
    EXPECT_EQ(header(packed, "Content-Encoding"), "gzip");
    EXPECT_EQ(gunzip(packed.body, 1 << 20), plain.body);
    client.send("HEAD " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(header(client.read(true), "Content-Length"), std::to_string(plain.body.size()));
  }
}

TEST(WebServer, WhatWouldTakeManyTimesItsSizeIsRefused) {
  RunningServer running;
  WebClient client(running.server());
  const std::string text(std::size_t{256} << 10, ' ');
  EXPECT_EQ(
      client.ask(post("/tokenize", R"({"question":"a","context":")" + text + "\"}")).head.status,
      413);
  EXPECT_EQ(client.ask(post("/tokenize", kBody)).head.status, 200);
  std::string values = "[";
  for (int i = 0; i < 65'536; ++i) values += "1,";
  EXPECT_EQ(client.ask(post("/ask", values + "1]")).head.status, 413);
}

TEST(WebServer, AClientThatAsksFirstIsToldToContinue) {
  RunningServer running;
  WebClient client(running.server());
  const std::string body = kBody;
  client.send("POST /ask HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n");
  EXPECT_EQ(client.read(true).head.status, 100);
  EXPECT_EQ(client.ask(body).head.status, 200);
}

TEST(WebServer, KeysAreWantedForQuestionsAlone) {
  WebServerSettings settings = web_settings();
  settings.api_keys = {"first", "second"};
  RunningServer running(settings);
  WebClient client(running.server());
  for (const char* value : {"", "Authorization: Bearer third\r\n", "Authorization: first\r\n",
                            "Authorization: Bearer firs\r\n", "Authorization: Bearer \r\n"}) {
    const HttpResponse response = client.ask(post("/ask", kBody, value));
    EXPECT_EQ(response.head.status, 401) << value;
    EXPECT_EQ(header(response, "WWW-Authenticate"), "Bearer");
  }
  EXPECT_EQ(client.ask(post("/ask", kBody, "Authorization: Bearer first\r\n")).head.status, 200);
  EXPECT_EQ(client.ask(post("/ask", kBody, "authorization: bearer second\r\n")).head.status, 200);
  for (const char* path : {"/livez", "/readyz", "/metrics", "/"}) {
    EXPECT_EQ(client.ask(get(path)).head.status, 200) << path;
  }
}

TEST(WebServer, RefusalsBeyondTheirRateWaitAndAreStillTold) {
  WebServerSettings settings = web_settings();
  settings.queue.max_queue = 0;
  settings.queue.threads = 0;
  settings.refusals_per_second = 20;
  RunningServer running(settings);
  WebClient client(running.server()), impatient(running.server());
  std::string several;
  for (int i = 0; i < 6; ++i)
    several += post("/ask", kBody, "X-Request-Id: id-" + std::to_string(i) + "\r\n");
  client.send(several + get("/livez"));
  impatient.send(post("/ask", kBody));
  impatient.leave();
  for (int i = 0; i < 6; ++i) {
    const HttpResponse response = client.read();
    EXPECT_EQ(response.head.status, 429);
    EXPECT_EQ(header(response, "X-Request-Id"), "id-" + std::to_string(i));
  }
  EXPECT_EQ(client.read().head.status, 200);
  const std::string metrics = client.ask(get("/metrics")).body;
  EXPECT_NE(metrics.find("http_route=\"/ask\",http_response_status_code=\"429\"} 7\n"),
            std::string::npos)
      << metrics;
}

TEST(WebServer, AFullQueueIs429BeforeTheBodyIsLookedAt) {
  WebServerSettings settings = web_settings();
  settings.queue.max_queue = 0;
  settings.queue.threads = 0;
  RunningServer running(settings);
  WebClient client(running.server());
  for (int i = 0; i < 3; ++i) {
    const HttpResponse response = client.ask(post("/ask", "no JSON"));
    EXPECT_EQ(response.head.status, 429);
    EXPECT_EQ(header(response, "Retry-After"), "1");
    EXPECT_EQ(header(response, "Connection"), "keep-alive");
  }
  // One that is too long to be read and dropped is answered at once, and the connection ends.
  WebClient large(running.server());
  const HttpResponse response =
      large.ask("POST /ask HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_EQ(response.head.status, 429);
  EXPECT_EQ(header(response, "Connection"), "close");
}

TEST(WebServer, WhileTheModelLoadsItIsAliveAndNotReady) {
  std::promise<void> go;
  RunningServer running(
      web_settings(),
      [&go] {
        go.get_future().wait();
        return RunningServer::open_one();
      },
      false);
  WebClient client(running.server());
  EXPECT_EQ(client.ask(get("/livez")).head.status, 200);
  for (const std::string& request : {get("/readyz"), get("/health"), post("/ask", kBody)}) {
    const HttpResponse response = client.ask(request);
    EXPECT_EQ(response.head.status, 503);
    EXPECT_EQ(header(response, "Retry-After"), "1");
  }
  go.set_value();
  running.wait_until_ready();
  EXPECT_EQ(client.ask(get("/readyz")).head.status, 200);
  EXPECT_EQ(client.ask(post("/ask", kBody)).head.status, 200);
}

TEST(WebServer, AModelThatCannotBeLoadedEndsIt) {
  WebServerSettings settings = web_settings();
  WebServer server(settings, Log({.level = LogLevel::kFatal}, STDERR_FILENO));
  EXPECT_THROW(server.run([]() -> std::unique_ptr<const Answerer> {
    throw Error(ErrorCode::kInvalidModel, "broken");
  }),
               Error);
}

TEST(WebServer, DrainingAnswersWhatHasBegun) {
  auto running = std::make_unique<RunningServer>();
  WebClient begun(running->server()), idle(running->server());
  EXPECT_EQ(idle.ask(get("/livez")).head.status, 200);
  const std::string request = post("/ask", kBody);
  begun.send(request.substr(0, request.size() - 5));
  EXPECT_EQ(idle.ask(get("/readyz")).head.status, 200);  // so that the bytes before have come too
  running->server().drain();
  EXPECT_EQ(idle.ask(get("/readyz")).head.status, 503);
  EXPECT_TRUE(idle.at_end());
  const HttpResponse response = begun.ask(request.substr(request.size() - 5));
  EXPECT_EQ(response.head.status, 200);
  EXPECT_EQ(header(response, "Connection"), "close");
  EXPECT_TRUE(begun.at_end());
  running.reset();  // returns: nothing is left
}

TEST(WebServer, SlowHeadsAndBodiesAreEnded) {
  WebServerSettings settings = web_settings();
  settings.http.head_timeout = settings.http.body_timeout = std::chrono::milliseconds(20);
  RunningServer running(settings);
  for (const char* text :
       {"GET / HT", "POST /ask HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"}) {
    WebClient client(running.server());
    EXPECT_EQ(client.ask(text).head.status, 408);
    EXPECT_TRUE(client.at_end());
  }
  settings.http.idle_timeout = std::chrono::milliseconds(20);
  RunningServer impatient(settings);
  WebClient idle(impatient.server());
  EXPECT_TRUE(idle.at_end());
}

TEST(WebServer, ConnectionsAreBounded) {
  WebServerSettings settings = web_settings();
  settings.http.max_connections = 1;
  RunningServer running(settings);
  WebClient first(running.server());
  EXPECT_EQ(first.ask(get("/livez")).head.status, 200);
  WebClient second(running.server());
  EXPECT_EQ(second.read().head.status, 503);
  EXPECT_TRUE(second.at_end());
  EXPECT_EQ(first.ask(get("/livez")).head.status, 200);
}

TEST(WebServer, BodiesAreCompressedBothWays) {
  RunningServer running;
  WebClient client(running.server());
  const std::string plain = client.ask(post("/ask", kBody)).body;
  EXPECT_EQ(client.ask(post("/ask", gzip(kBody), "Content-Encoding: gzip\r\n")).body, plain);
  EXPECT_EQ(client.ask(post("/ask", "no gzip", "Content-Encoding: gzip\r\n")).head.status, 400);
  EXPECT_EQ(client.ask(post("/ask", kBody, "Content-Encoding: br\r\n")).head.status, 415);
  const std::string many = R"({"question":"who ?","context":"the notes in a b c d","top_k":50})";
  const std::string long_reply = client.ask(post("/ask", many)).body;
  ASSERT_GT(long_reply.size(), 1024U);
  const HttpResponse packed = client.ask(post("/ask", many, "Accept-Encoding: gzip, br\r\n"));
  EXPECT_EQ(header(packed, "Content-Encoding"), "gzip");
  EXPECT_EQ(gunzip(packed.body, 1 << 20), long_reply);
  EXPECT_EQ(client.ask(post("/ask", many, "Accept-Encoding: gzip;q=0\r\n")).body, long_reply);
}

TEST(WebServer, AnswersComeLineByLine) {
  RunningServer running;
  WebClient client(running.server());
  const std::string body =
      R"({"questions":["who ?","in the notes ?"],"contexts":["the notes in a","b c d"]})";
  const HttpResponse lines =
      client.ask(post("/v1/answer", body, "Accept: application/x-ndjson\r\n"));
  EXPECT_EQ(lines.head.status, 200);
  EXPECT_EQ(header(lines, "Content-Type"), "application/x-ndjson");
  EXPECT_EQ(header(lines, "Transfer-Encoding"), "chunked");
  EXPECT_EQ(std::count(lines.body.begin(), lines.body.end(), '\n'), 3);
  EXPECT_TRUE(lines.body.starts_with("{\"question\":0,\"answers\":[{")) << lines.body;
  // The same to a client that knows no chunks: until the connection ends.
  WebClient old(running.server());
  const HttpResponse closed = old.ask(
      "POST /v1/answer HTTP/1.0\r\nAccept: application/x-ndjson\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_EQ(std::count(closed.body.begin(), closed.body.end(), '\n'), 3);
}

TEST(WebServer, AClientThatLeavesFreesItsWork) {
  RunningServer running;
  std::string context;
  for (int i = 0; i < 20'000; ++i) context += "the notes in a b c d , ";
  for (int i = 0; i < 4; ++i) {
    WebClient client(running.server());
    client.send(post("/ask", R"({"question":"who ?","max_seq_len":20,"doc_stride":4,"context":")" +
                                 context + "\"}"));
    client.leave();
  }
  WebClient client(running.server());
  EXPECT_EQ(client.ask(post("/ask", kBody)).head.status, 200);
}

TEST(WebServer, MetricsSayWhatHappened) {
  RunningServer running;
  WebClient client(running.server());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.ask(post("/ask", kBody)).head.status, 200);
  EXPECT_EQ(client.ask(post("/ask", "{}")).head.status, 422);
  EXPECT_EQ(client.ask(get("/models/a\"b")).head.status, 405);
  const std::string text = client.ask(get("/metrics")).body;
  for (const char* line :
       {"http_server_request_duration_seconds_count{http_request_method=\"POST\",http_route=\"/"
        "ask\",http_response_status_code=\"200\"} 3\n",
        "http_response_status_code=\"422\"} 1\n", "lambert_windows_per_request_sum 3\n",
        "lambert_windows_per_request_bucket{le=\"1\"} 3\n", "lambert_queue_depth 0\n",
        "lambert_ready 1\n", "lambert_connections 1\n", "lambert_model_info{model=\"tiny\"",
        "process_open_fds "}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST(WebServer, ListensAtAUnixSocket) {
  WebServerSettings settings = web_settings();
  settings.http.unix_path =
      (std::filesystem::temp_directory_path() / ("lambert_test_" + std::to_string(::getpid())))
          .string();
  {
    RunningServer running(settings);
    WebClient client(running.server());
    EXPECT_EQ(client.ask(post("/ask", kBody)).head.status, 200);
  }
  EXPECT_FALSE(std::filesystem::exists(settings.http.unix_path));
}

TEST(WebServer, AnAddressThatCannotBeHadIsAnError) {
  WebServerSettings settings = web_settings();
  settings.http.host = "nowhere";
  EXPECT_THROW(WebServer(settings, Log({}, STDERR_FILENO)), Error);
  settings.http.host = "192.0.2.1";  // of nobody
  EXPECT_THROW(WebServer(settings, Log({}, STDERR_FILENO)), Error);
}

}  // namespace
}  // namespace lambert
