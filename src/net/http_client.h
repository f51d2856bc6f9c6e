// An HTTP/1.1 client: one connection at a time to one server, kept alive between requests.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "base/byte_sink.h"
#include "net/connection.h"
#include "net/http_message.h"
#include "net/http_parser.h"
#include "net/proxy.h"
#include "net/socket.h"
#include "net/tls.h"
#include "net/url.h"

namespace lambert {

struct HttpOptions {
  std::chrono::milliseconds connect_timeout{5'000};  // name, TCP and TLS together
  std::chrono::milliseconds idle_timeout{0};         // between two arrivals of bytes; 0: no limit
  Waiting waiting = {};
  std::shared_ptr<TlsClient> tls = {};  // needed for https
  std::optional<Proxy> proxy = {};
  std::string unix_path = {};  // where to connect in place of host and port
  std::string user_agent = "lambert/" LAMBERT_VERSION;
};

// For one thread at a time. Failures are NetworkErrors whose message begins with the server, never
// with anything of the request. After a failure the next request opens a new connection.
//
// A connection that stayed idle may have been closed by the server: when that shows before any byte
// of a response, an idempotent request is sent once more over a new connection; it can happen that
// the server saw it twice.
class HttpConnection {
 public:
  explicit HttpConnection(Url server, HttpOptions options = {});

  // Sends a request and reads the head of the response; heads with 1xx are passed over. What was
  // left of the last response is dropped, with its connection. The head is valid until the next
  // call. Throws kInvalidArgument for what would not be a valid request.
  const HttpHead& start(const HttpRequest& request, TimePoint deadline);
  // Pushes the body of that response as it arrives, without decoding it. A body that ends early is
  // an error which names both sizes.
  void read_body(const ByteSink& sink, TimePoint deadline);
  // Both, with the body collected: kLimitExceeded when it has more than `max_body` bytes.
  HttpResponse request(const HttpRequest& request, std::size_t max_body, TimePoint deadline);

  void close();
  const Url& server() const { return server_; }

 private:
  bool reusable();
  void open(TimePoint deadline);
  void open_tunnel(TimePoint deadline);
  void exchange(const HttpRequest& request, const std::string& head, TimePoint deadline);
  void read_head(bool without_body, TimePoint deadline);
  bool receive(TimePoint deadline);
  std::string head_of(const HttpRequest& request) const;

  Url server_;
  HttpOptions options_;
  std::unique_ptr<Connection> connection_;  // null: closed
  std::optional<ResponseParser> parser_;    // of the response that is being read, or was last
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // of what was received and not parsed yet
  bool received_ = false;            // any byte since the request was sent
};

}  // namespace lambert
