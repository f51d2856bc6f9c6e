// What the server takes for a request, and what it refuses because others may read it differently.
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "net/http_parser.h"

namespace lambert {
namespace {

struct Request {
  HttpRequestHead head;
  std::string body, rest;
  bool done = false, keep_alive = false;
};

// `text` in pieces of `piece` bytes.
Request parse(std::string_view text, std::size_t piece = std::string_view::npos) {
  RequestParser parser;
  Request request;
  std::string kept;
  const auto add = [&](std::span<const std::byte> bytes) {
    request.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  while (!text.empty() && !parser.done()) {
    kept += text.substr(0, piece);
    text.remove_prefix(std::min(piece, text.size()));
    std::size_t taken = 1;
    while (taken > 0 && !parser.done()) {
      taken = parser.put(std::as_bytes(std::span(kept)), add);
      kept.erase(0, taken);
    }
  }
  request.rest = kept + std::string(text);
  request.done = parser.done();
  if (parser.head_done()) {
    request.keep_alive = parser.keep_alive();
    request.head = parser.head();
  }
  return request;
}

int status_of(std::string_view text, std::size_t piece = std::string_view::npos) {
  try {
    return parse(text, piece).done ? 200 : 0;
  } catch (const BadHttpRequest& error) {
    EXPECT_STRNE(error.what(), "");
    return error.status();
  }
}

std::string with(const std::string& headers, const std::string& body = "") {
  return "POST /ask HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n" + body;
}

TEST(RequestParser, HeadAndBodyWhateverThePieces) {
  const std::string bodies[] = {
      with("Content-Length: 5\r\n", "hello"),
      with("Transfer-Encoding: chunked\r\n", "2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: x\r\n\r\n")};
  for (const std::string& text : bodies) {
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
      const Request request = parse(text, piece);
      ASSERT_TRUE(request.done) << piece;
      EXPECT_EQ(request.head.method, "POST");
      EXPECT_EQ(request.head.target, "/ask");
      EXPECT_EQ(request.body, "hello");
      EXPECT_EQ(request.rest, "");
      EXPECT_TRUE(request.keep_alive);
    }
  }
}

TEST(RequestParser, PipelinedRequestsAreLeftForTheNext) {
  const Request request = parse(with("Content-Length: 2\r\n", "abGET / HTTP/1.1\r\n"));
  EXPECT_EQ(request.body, "ab");
  EXPECT_EQ(request.rest, "GET / HTTP/1.1\r\n");
}

TEST(RequestParser, EmptyLinesInFrontArePassedOver) {
  EXPECT_EQ(status_of("\r\n\r\n" + with("")), 200);
  EXPECT_EQ(status_of(std::string(40, '\n') + with("")), 400);
}

TEST(RequestParser, TargetsArePaths) {
  const auto target = [](const std::string& text) {
    return parse("GET " + text + " HTTP/1.1\r\nHost: a\r\n\r\n").head.target;
  };
  EXPECT_EQ(target("/a?b=c"), "/a?b=c");
  EXPECT_EQ(target("http://host:80/a?b"), "/a?b");
  EXPECT_EQ(target("HTTP://host"), "/");
  EXPECT_EQ(target("https://host?b"), "/?b");
  EXPECT_EQ(parse("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").head.target, "*");
  for (const char* text :
       {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", "GET a HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "GET ftp://a/b HTTP/1.1\r\nHost: a\r\n\r\n"}) {
    EXPECT_EQ(status_of(text), 400) << text;
  }
}

TEST(RequestParser, KeepAliveAsTheVersionHasIt) {
  const auto keeps = [](const std::string& text) { return parse(text).keep_alive; };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(RequestParser, ExpectContinueIsOfHttp11) {
  EXPECT_TRUE(parse(with("Expect: 100-Continue\r\nContent-Length: 1\r\n")).head.expects_continue);
  EXPECT_FALSE(parse("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
                   .head.expects_continue);
}

TEST(RequestParser, VersionIsUnsupportedOnlyWhereThereIsOne) {
  const auto line = [](const std::string& text) { return status_of(text + "\r\nHost: a\r\n\r\n"); };
  for (const char* text : {"GET / HTTP/0.9", "GET / HTTP/1.2", "PUT /a?b HTTP/3.0"}) {
    EXPECT_EQ(line(text), 505) << text;
  }
  for (const char* text :
       {"GET /a b HTTP/1.1", "GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET / HTTP/1.1 ",
        "GET / HTTP/1", "GET / HTTP/1.10", "GET / HTTP/01.1", "GET / http/1.1", "GET / ICY/1.1",
        "GET /", "GET / x", "PROXY TCP4 1.2.3.4 1.2.3.5 1 2"}) {
    EXPECT_EQ(line(text), 400) << text;
  }
}

// What a proxy in front may take for another request than we do (RFC 9112, 11.2).
TEST(RequestParser, AmbiguousFramingIsRefused) {
  const std::vector<std::tuple<std::string, int>> cases = {
      {with("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400},
      {with("Content-Length: 1\r\nContent-Length: 2\r\n"), 400},
      {with("Content-Length: 1\r\nContent-Length: 1\r\n"), 400},
      {with("Content-Length: 1, 1\r\n"), 400},
      {with("Content-Length: -1\r\n"), 400},
      {with("Content-Length: +1\r\n"), 400},
      {with("Content-Length: 0x1\r\n"), 400},
      {with("Content-Length: 99999999999999999999\r\n"), 400},
      {with("Content-Length : 1\r\n"), 400},
      {with("Transfer-Encoding: xchunked\r\n"), 501},
      {with("Transfer-Encoding: gzip, chunked\r\n"), 501},
      {with("Transfer-Encoding: chunked, identity\r\n"), 501},
      {with("Transfer-Encoding: identity\r\n"), 501},
      {with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {with("A: b\r\n c\r\n"), 400},   // folded
      {with("A: b\r\n\tc\r\n"), 400},  // folded
      {with(std::string("A: ") + '\0' + "\r\n"), 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},                        // no Host
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},  // two
      {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
      {"GET /\r\n\r\n", 400},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"\x16\x03\x01\x02\x00\x01", 400},  // TLS
  };
  for (const auto& [text, status] : cases) {
    EXPECT_EQ(status_of(text), status) << text;
    EXPECT_EQ(status_of(text, 1), status) << text;
  }
}

TEST(RequestParser, SizesAreBounded) {
  EXPECT_EQ(status_of(with("A: " + std::string(kMaxHttpHead, 'a') + "\r\n")), 431);
  EXPECT_EQ(status_of(with("A: " + std::string(kMaxHttpHead - 100, 'a') + "\r\n")), 200);
  EXPECT_EQ(status_of("GET /" + std::string(kMaxHttpHead, 'a')), 431);
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  EXPECT_EQ(status_of(with(chunked, "1;" + std::string(2 * kMaxChunkHeader, 'a') + "\r\na\r\n")),
            400);
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "1;" + std::string(100, 'a') + "\r\nb\r\n";
  EXPECT_EQ(status_of(with(chunked, many + "0\r\n\r\n")), 400);
  std::string bytes;
  for (int i = 0; i < 50'000; ++i) bytes += "1\r\nb\r\n";
  EXPECT_EQ(status_of(with(chunked, bytes + "0\r\n\r\n")), 200);
}

}  // namespace
}  // namespace lambert
