#include "net/http_client.h"

#include <gtest/gtest.h>

#include <thread>

#include "loopback.h"
#include "net/network_error.h"

namespace lambert {
namespace {

constexpr std::size_t kMax = 1 << 20;

HttpResponse get(const Loopback& server, const HttpOptions& options = {},
                 const std::string& method = "GET") {
  HttpConnection connection(server.url(), options);
  return connection.request({.method = method}, kMax, kNoDeadline);
}

// What a client makes of these bytes, followed by the end of the stream.
HttpResponse parsed(const std::string& response, const std::string& method = "GET") {
  Loopback server([&](Peer& peer) {
    peer.read_request();
    peer.send(response);
  });
  return get(server, {}, method);
}

void expect_refused(const std::string& response, const std::string& part, bool retryable = false) {
  try {
    parsed(response);
    ADD_FAILURE() << "accepted: " << response.substr(0, 200);
  } catch (const NetworkError& error) {
    const std::string message = error.what();
    EXPECT_TRUE(message.starts_with("http://127.0.0.1:")) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message << "\nexpected: " << part;
    EXPECT_EQ(error.retryable(), retryable) << message;
  }
}

TEST(HttpClient, SendsARequestAndReadsTheResponse) {
  std::string request;
  Loopback server([&](Peer& peer) {
    request = peer.read_request();
    peer.send("HTTP/1.1 201 Created\r\nX-One: 1 \r\nx-two:\r\nContent-Length: 5\r\n\r\nhello");
  });
  HttpConnection connection(server.url());
  const HttpResponse response = connection.request(
      {.method = "POST", .target = "/a%20b?c=d", .headers = {{"X-Test", "yes"}}, .body = "body"},
      kMax, kNoDeadline);
  EXPECT_EQ(request, "POST /a%20b?c=d HTTP/1.1\r\nHost: 127.0.0.1:" +
                         std::to_string(server.port()) + "\r\nUser-Agent: lambert/" +
                         LAMBERT_VERSION + "\r\nX-Test: yes\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_EQ(response.head.status, 201);
  EXPECT_EQ(response.body, "hello");
  ASSERT_NE(response.head.find("X-ONE"), nullptr);
  EXPECT_EQ(*response.head.find("X-ONE"), "1");
  EXPECT_EQ(*response.head.find("x-Two"), "");
  EXPECT_EQ(response.head.find("X-Three"), nullptr);
}

TEST(HttpClient, BodiesEndByLengthByChunksOrByClosing) {
  EXPECT_EQ(parsed("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef").body, "abc");
  EXPECT_EQ(parsed("HTTP/1.1 200 OK\r\n\r\nto the end").body, "to the end");
  EXPECT_EQ(parsed("HTTP/1.0 200 OK\r\n\r\n").body, "");
  EXPECT_EQ(parsed("HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n"
                   "3;name=\"value\"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n")
                .body,
            "abc0123456789");
  const HttpResponse trailers =
      parsed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: 1\r\n\r\n");
  EXPECT_EQ(trailers.head.find("X-Trailer"), nullptr);
  EXPECT_EQ(parsed("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n").body, "");
  EXPECT_EQ(parsed("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n").body, "");
  const HttpResponse head =
      parsed("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "HEAD");
  EXPECT_EQ(head.head.content_length, 99999999999U);
}

TEST(HttpClient, InformationalHeadsArePassedOver) {
  EXPECT_EQ(parsed("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
                   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                .body,
            "ok");
  expect_refused("HTTP/1.1 101 Switching Protocols\r\n\r\n", "switches protocols");
  std::string many;
  for (int i = 0; i < 17; ++i) many += "HTTP/1.1 100 Continue\r\n\r\n";
  expect_refused(many + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "more than 16 responses");
}

TEST(HttpClient, ShortBodiesAreErrorsWithBothSizes) {
  expect_refused("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "after 3 of 10 bytes", true);
  expect_refused("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "after 0 of 10 bytes", true);
  expect_refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
                 "after 3 bytes, before the last chunk", true);
  expect_refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
                 "before the last chunk", true);
  expect_refused("HTTP/1.1 200 OK\r\nContent-Le", "before the server's response was complete",
                 true);
  expect_refused("", "before the server's response was complete", true);
}

TEST(HttpClient, WhatProxiesAndServersDisagreeAboutIsRefused) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  expect_refused(ok + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
                 "not valid HTTP");
  expect_refused(ok + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
                 "not valid HTTP");
  expect_refused(ok + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
                 "multiple Content-Length");
  expect_refused(ok + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "twice");
  expect_refused(ok + "Content-Length: 3, 3\r\n\r\nabc", "Content-Length");
  for (const char* length : {"", "-1", "+3", "0x3", "3 3", "18446744073709551616", "3;"}) {
    expect_refused(ok + "Content-Length: " + length + "\r\n\r\nabc", "not valid HTTP");
  }
  for (const char* encoding : {"gzip, chunked", "chunked, identity", "xchunked", "identity", "gzip",
                               "chunked, chunked", ""}) {
    expect_refused(ok + "Transfer-Encoding: " + encoding + "\r\n\r\n0\r\n\r\n", "not valid HTTP");
  }
  expect_refused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "in HTTP/1.0");
  expect_refused(ok + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n", "folded");
  expect_refused(ok + "X: a\r\n\tb\r\nContent-Length: 0\r\n\r\n", "folded");
  expect_refused(ok + "X : a\r\n\r\n", "not valid HTTP");
  expect_refused(ok + ": a\r\n\r\n", "not valid HTTP");
  expect_refused(ok + "X: a\nY: b\r\n\r\n", "not valid HTTP");
  expect_refused(ok + std::string("X: a\0b\r\n\r\n", 10), "not valid HTTP");
  for (const char* chunk : {"-1\r\n", "x\r\n", "\r\n", "10000000000000000\r\n", "3\nabc\n"}) {
    expect_refused(ok + "Transfer-Encoding: chunked\r\n\r\n" + chunk + "\r\n\r\n",
                   "not valid HTTP");
  }
  expect_refused(ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n0\r\n\r\n", "not valid HTTP");
}

TEST(HttpClient, WhatIsNoHttpIsRefusedAtOnce) {
  for (const char* begin : {"SSH-2.0-OpenSSH\r\n", "HTTP/2.0 200 OK\r\n\r\n", "\r\nHTTP/1.1 200 OK",
                            "HTTP/1.2 200 OK\r\n\r\n", "HTTP/1.1 99 OK\r\n\r\n",
                            "HTTP/1.1 600 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "<html>"}) {
    expect_refused(begin, "not valid HTTP");
  }
}

TEST(HttpClient, HeadsChunkHeadersAndTrailersAreLimited) {
  const auto with_header = [](std::size_t size) {
    return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: " + std::string(size, 'x') + "\r\n\r\n";
  };
  EXPECT_EQ(parsed(with_header(32'000)).head.status, 200);
  expect_refused(with_header(33'000), "a head of more than 32768 bytes");
  expect_refused("HTTP/1.1 200 OK\r\n" + std::string(100'000, 'x'), "a head of more than 32768");
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  expect_refused(chunked + "1;x=" + std::string(80'000, 'x') + "\r\na\r\n0\r\n\r\n", "chunk");
  expect_refused(chunked + "0\r\nX: " + std::string(80'000, 'x') + "\r\n\r\n", "trailer");
}

TEST(HttpClient, ACollectedBodyIsLimited) {
  for (const char* response :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde", "HTTP/1.1 200 OK\r\n\r\nabcde",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"}) {
    Loopback server([&](Peer& peer) {
      for (;;) {
        peer.read_request();
        peer.send(response);
        if (std::string(response).find("OK\r\n\r\n") != std::string::npos) return;
      }
    });
    HttpConnection connection(server.url());
    EXPECT_EQ(connection.request({}, 5, kNoDeadline).body, "abcde");
    try {
      connection.request({}, 4, kNoDeadline);
      ADD_FAILURE();
    } catch (const NetworkError& error) {
      EXPECT_EQ(error.code(), ErrorCode::kLimitExceeded);
      EXPECT_FALSE(error.retryable());
    }
  }
}

TEST(HttpClient, StallsEndAtTheIdleTimeoutOrTheDeadline) {
  for (const char* begin :
       {"", "HTTP/1.1 200 OK\r\nConte", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"}) {
    Loopback server([&](Peer& peer) {
      peer.read_request();
      peer.send(begin);
      peer.stall();
    });
    const TestClock clock;
    const auto expect_timeout = [&](std::chrono::milliseconds idle, TimePoint deadline,
                                    std::chrono::milliseconds expected) {
      HttpConnection connection(server.url(), {.idle_timeout = idle, .waiting = {.clock = &clock}});
      const TimePoint before = clock.now();
      try {
        connection.request({}, kMax, deadline);
        ADD_FAILURE();
      } catch (const NetworkError& error) {
        EXPECT_TRUE(error.retryable());
        EXPECT_NE(std::string(error.what()).find("timed out"), std::string::npos) << error.what();
      }
      EXPECT_EQ(clock.now() - before, expected) << begin;
    };
    using std::chrono::milliseconds;
    expect_timeout(milliseconds(700), kNoDeadline, milliseconds(700));
    expect_timeout(milliseconds(0), clock.now() + milliseconds(300), milliseconds(300));
    expect_timeout(milliseconds(700), clock.now() + milliseconds(300), milliseconds(300));
  }
}

TEST(HttpClient, WaitingWithoutALimitEndsByCancellation) {
  const Cancellation cancel;
  Loopback server([&](Peer& peer) {
    peer.read_request();
    cancel.cancel();
    peer.wait_for_end();
  });
  HttpConnection connection(server.url(), {.waiting = {.cancel = &cancel}});
  try {
    connection.request({}, kMax, kNoDeadline);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  }
}

TEST(HttpClient, WhatTheSinkThrowsComesBackAndClosesTheConnection) {
  Loopback server([](Peer& peer) {
    for (;;) {
      peer.read_request();
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    }
  });
  HttpConnection connection(server.url());
  connection.start({}, kNoDeadline);
  EXPECT_THROW(connection.read_body([](std::span<const std::byte>) { throw 5; }, kNoDeadline), int);
  EXPECT_EQ(connection.request({}, kMax, kNoDeadline).body, "abc");
  EXPECT_EQ(server.connections(), 2);
}

TEST(HttpClient, NothingIsSentThatWouldNotBeOneRequest) {
  Loopback server([](Peer& peer) { peer.read_request(); });
  HttpConnection connection(server.url());
  const auto refused = [&](const HttpRequest& request) {
    try {
      connection.request(request, kMax, kNoDeadline);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_EQ(std::string(error.what()).find("canary"), std::string::npos);
    }
  };
  for (const char* target : {"", "x", "/a b", "/a\r\nX: 1", "/%4", "/\xC3\xA4", "/#a", "*"}) {
    refused({.target = target});
  }
  refused({.method = "GET /", .target = "/"});
  refused({.method = ""});
  refused({.headers = {{"Authorization", "canary\r\nX: 1"}}});
  refused({.headers = {{"Authorization", std::string("canary\0", 7)}}});
  refused({.headers = {{"X y", "canary"}}});
  refused({.headers = {{"", "canary"}}});
  EXPECT_EQ(server.connections(), 0);
}

TEST(HttpClient, ConnectsToAUnixSocket) {
  const std::string path = testing::TempDir() + "lambert_net_" + std::to_string(::getpid());
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_storage address{};
  address.ss_family = AF_UNIX;
  std::copy(path.begin(), path.end(), reinterpret_cast<char*>(&address) + sizeof(sa_family_t));
  ::unlink(path.c_str());
  const auto size = static_cast<socklen_t>(sizeof(sa_family_t) + path.size() + 1);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  std::thread server([&] {
    const int fd = ::accept(listener, nullptr, nullptr);
    Peer peer(fd, 0);
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nu");
    ::close(fd);
  });
  HttpConnection connection({false, "localhost", 80}, {.unix_path = path});
  EXPECT_EQ(connection.request({}, kMax, kNoDeadline).body, "u");
  server.join();
  ::close(listener);
  ::unlink(path.c_str());
  EXPECT_THROW(Socket::connect_unix(path, kNoDeadline), NetworkError);
  EXPECT_THROW(Socket::connect_unix(std::string(200, 'x'), kNoDeadline), Error);
}

TEST(HttpClient, NamesAndPortsThatNobodyAnswersAreErrorsThatNameThem) {
  Url url;
  {
    Loopback server([](Peer&) {});
    url = server.url();  // nobody listens there any more
  }
  HttpConnection connection(url);
  try {
    connection.request({}, kMax, kNoDeadline);
    ADD_FAILURE();
  } catch (const NetworkError& error) {
    EXPECT_TRUE(error.retryable());
    const std::string message = error.what();
    EXPECT_NE(message.find("port " + std::to_string(url.port)), std::string::npos) << message;
    EXPECT_NE(message.find("Connection refused"), std::string::npos) << message;
  }
  url.host = "localhost";
  EXPECT_THROW(HttpConnection(url).request({}, kMax, kNoDeadline), NetworkError);
}

TEST(HttpClient, PlainHttpGoesThroughAProxy) {
  std::string request;
  Loopback proxy([&](Peer& peer) {
    request = peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\np");
  });
  HttpConnection connection({false, "example.invalid", 80},
                            {.proxy = Proxy{proxy.url(), Secret("Basic dTpw")}});
  EXPECT_EQ(connection.request({.target = "/x"}, kMax, kNoDeadline).body, "p");
  EXPECT_TRUE(
      request.starts_with("GET http://example.invalid/x HTTP/1.1\r\nHost: example.invalid\r\n"))
      << request;
  EXPECT_NE(request.find("\r\nProxy-Authorization: Basic dTpw\r\n"), std::string::npos);
}

TEST(HttpClient, AProxyThatRefusesATunnelIsAnError) {
  std::string request;
  Loopback proxy([&](Peer& peer) {
    request = peer.read_request();
    peer.send("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno");
    peer.wait_for_end();
  });
  HttpConnection connection(
      {true, "example.invalid", 443},
      {.tls = std::make_shared<TlsClient>([](const std::string&) { return std::nullopt; }),
       .proxy = Proxy{proxy.url(), Secret("Basic canary")}});
  try {
    connection.request({}, kMax, kNoDeadline);
    ADD_FAILURE();
  } catch (const NetworkError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("refused to connect to example.invalid:443: status 407"),
              std::string::npos)
        << message;
    EXPECT_EQ(message.find("canary"), std::string::npos);
  }
  EXPECT_TRUE(request.starts_with("CONNECT example.invalid:443 HTTP/1.1\r\n")) << request;
}

}  // namespace
}  // namespace lambert
