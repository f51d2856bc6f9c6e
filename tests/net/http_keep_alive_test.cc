// What happens to a connection between two requests.
#include <gtest/gtest.h>

#include <thread>

#include "loopback.h"
#include "net/http_client.h"
#include "net/network_error.h"

namespace lambert {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;

TEST(HttpClient, AConnectionIsKeptAlive) {
  Loopback server([](Peer& peer) {
    for (int i = 0;; ++i) {
      peer.read_request();
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::to_string(i));
    }
  });
  HttpConnection connection(server.url());
  for (const char* expected : {"0", "1", "2"}) {
    EXPECT_EQ(connection.request({}, kMostBytes, kNoDeadline).body, expected);
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, AConnectionIsNotKeptWhereItCannotBe) {
  for (const char* response :
       {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n"}) {  // too much
    Loopback server([&](Peer& peer) {
      peer.read_request();
      peer.send(response);
      peer.wait_for_end();
    });
    HttpConnection connection(server.url());
    for (int i = 0; i < 2; ++i)
      EXPECT_EQ(connection.request({}, kMostBytes, kNoDeadline).body, "x");
    EXPECT_EQ(server.connections(), 2);
  }
}

TEST(HttpClient, ABodyThatIsNotReadClosesTheConnection) {
  Loopback server([](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nxyz");
    peer.wait_for_end();
  });
  HttpConnection connection(server.url());
  EXPECT_EQ(connection.start({}, kNoDeadline).status, 200);
  EXPECT_EQ(connection.start({}, kNoDeadline).status, 200);
  EXPECT_EQ(server.connections(), 2);
}

// The server closes after its first response without saying so: whether that shows before the next
// request, while it is sent or while its response is awaited, the request is sent once more.
TEST(HttpClient, AnIdleConnectionThatTheServerClosedIsReplaced) {
  for (const bool reset : {false, true}) {
    Loopback server([&](Peer& peer) {
      peer.read_request();
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
      if (reset) peer.reset();
    });
    HttpConnection connection(server.url());
    for (int i = 0; i < 20; ++i)
      EXPECT_EQ(connection.request({}, kMostBytes, kNoDeadline).body, "x");
    EXPECT_EQ(server.connections(), 20);
  }
}

TEST(HttpClient, ARequestThatIsNotIdempotentIsNotSentTwice) {
  std::atomic<int> requests = 0;
  Loopback server([&](Peer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    peer.read_request();  // and closes without an answer
    ++requests;
  });
  HttpConnection connection(server.url());
  connection.request({}, kMostBytes, kNoDeadline);
  EXPECT_THROW(connection.request({.method = "POST", .idempotent = false}, kMostBytes, kNoDeadline),
               ConnectionLost);
  EXPECT_EQ(server.connections(), 1);
  connection.request({}, kMostBytes, kNoDeadline);  // on a new one
  EXPECT_EQ(connection.request({.method = "POST"}, kMostBytes, kNoDeadline).body, "x");
  EXPECT_EQ(server.connections(), 3);
  EXPECT_EQ(requests, 2);
}

TEST(HttpClient, ALostFirstConnectionIsNotReplacedSilently) {
  Loopback server([](Peer& peer) { peer.read_request(); });
  EXPECT_THROW(HttpConnection(server.url()).request({}, kMostBytes, kNoDeadline), ConnectionLost);
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, AnEarlyAnswerToALargeBodyIsRead) {
  Loopback server([](Peer& peer) {
    peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    peer.wait_for_end();
  });
  HttpConnection connection(server.url());
  const std::string body(std::size_t{8} << 20, 'x');
  EXPECT_EQ(
      connection.request({.method = "PUT", .body = body}, kMostBytes, kNoDeadline).head.status,
      413);
}

}  // namespace
}  // namespace lambert
