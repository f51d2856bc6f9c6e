// HTTP/1.1 over TCP or a Unix socket (Boost.Asio): connections with their limits and deadlines, all
// on one thread. What a request is answered with is a handler's business, on any thread.
//
// A connection that is idle costs some hundred bytes, no buffer. Deadlines are absolute, so a
// client gains nothing by sending a byte now and then. Requests of one connection are answered one
// after the other (pipelining); what comes meanwhile is read up to kMaxHttpHead bytes.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_message.h"

namespace lambert {

struct HttpServerSettings {
  std::string host = "127.0.0.1";  // an address or "localhost"; "0.0.0.0" or "::" for all
  std::uint16_t port = 8080;       // 0: a free one
  std::string unix_path = {};      // a socket's file in place of host and port
  std::size_t max_connections = 1024;
  std::uint64_t max_body_bytes = std::uint64_t{8} << 20;      // of one request: 413
  std::uint64_t max_bodies_bytes = std::uint64_t{128} << 20;  // of all at once: 503
  std::chrono::milliseconds idle_timeout{60'000};             // until the first byte of a request
  std::chrono::milliseconds head_timeout{5'000};   // from that to the end of its head: 408
  std::chrono::milliseconds body_timeout{10'000};  // from there to the end of its body: 408
  std::chrono::milliseconds write_timeout{10'000};
};

struct HttpReply {
  int status = 200;
  HttpHeaders headers = {};  // but Content-Length, Transfer-Encoding, Connection and Date
  std::string body = {};     // of the first part, where the reply is streamed
  // In place of `body`: what outlives the server, so that clients who read slowly cost no copies.
  std::string_view page = {};
  bool close = false;  // the connection, after this
  // Until it is sent; meanwhile the connection asks nothing else.
  std::chrono::milliseconds wait{0};
};

// A request that waits for its reply. The functions may be called from any thread, by one at a
// time; what is not replied to when it is destroyed gets no reply: the connection is closed.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;

  HttpRequestHead head;
  std::string body;
  std::string peer;                               // its address, for logs; "" for a Unix socket
  std::chrono::steady_clock::time_point arrived;  // when the request was complete
  std::shared_ptr<void> note;                     // the handler's

  // The whole reply; once.
  virtual void reply(HttpReply reply) = 0;
  // Or in parts: the head with the first part, further parts, the end. What ends early, by
  // destruction, is seen as broken by the client.
  virtual void begin(HttpReply first) = 0;
  virtual void part(std::string bytes) = 0;
  virtual void end() = 0;

  // The client has left: nobody is going to read the reply.
  const std::atomic<bool>& abandoned() const { return abandoned_; }

 protected:
  std::atomic<bool> abandoned_ = false;
};

// Called on the server's thread: must not block.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // Whether the body is wanted: a reply refuses the request.
  virtual std::optional<HttpReply> admit(const HttpRequestHead& head) = 0;
  virtual void handle(std::shared_ptr<HttpExchange> exchange) = 0;
  // The reply to what is no HTTP (400, 431, 501, 505), takes too long (408) or is too much (413,
  // 503). `head` is null where it was not understood.
  virtual HttpReply refusal(int status, const std::string& message,
                            const HttpRequestHead* head) = 0;
  // `exchange` has been replied to with `status` and `bytes` of body, or its connection was lost.
  virtual void finished(const HttpExchange& exchange, int status, std::size_t bytes) = 0;
  // No more connections are accepted from now on.
  virtual void draining() = 0;
};

class HttpServer {
 public:
  // Listens. Throws Error: kInvalidArgument for a host that is no address, kIo when the address
  // cannot be had. `handler` must outlive it.
  HttpServer(const HttpServerSettings& settings, HttpHandler& handler);
  ~HttpServer();

  // Until drained or stopped. The first SIGTERM or SIGINT means drain(), the second stop().
  void run();
  // Thread-safe. No new connections; idle ones are closed, the others when they are replied to.
  void drain();
  // Thread-safe. Ends run() without regard to anything.
  void stop();

  std::size_t connections() const;  // thread-safe
  std::string url() const;          // "http://127.0.0.1:8080", "http://[::1]:80", "unix:/path"

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lambert
