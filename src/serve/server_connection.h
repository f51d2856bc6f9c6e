// One connection of the HTTP server: reads requests, has them answered, writes the replies. Private
// to http_server.cc and server_connection.cc, which alone include Boost.Asio.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/http_parser.h"
#include "serve/http_server.h"

namespace lambert {

class ServerConnection;

// What all connections of a server share. Of its thread, but for the counters.
struct ServerState {
  ServerState(const HttpServerSettings& given, HttpHandler& handler_given)
      : settings(given), handler(handler_given) {}

  const HttpServerSettings settings;
  HttpHandler& handler;
  boost::asio::io_context io{1};
  bool draining = false;
  std::atomic<std::uint64_t> bodies_bytes = 0;  // held by all exchanges
  // To read into. What is left of it is kept, with as much again, while a request is answered.
  std::vector<std::byte> scratch = std::vector<std::byte>(kMaxHttpHead / 2);
  std::function<void(const std::shared_ptr<ServerConnection>&)> closed;  // called once for each
};

class ServerExchange;

// Of the server's thread. Lives until it is closed and no exchange refers to it.
class ServerConnection : public std::enable_shared_from_this<ServerConnection> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  ServerConnection(const std::shared_ptr<ServerState>& server, Socket socket, std::string peer);

  void start();
  // Sends `reply` and closes, whatever comes.
  void turn_away(HttpReply reply);
  void close_if_idle();
  void close();

  // Of the exchange `from`.
  void send(std::shared_ptr<ServerExchange> from, HttpReply reply, bool in_parts);
  void send_part(std::string bytes, bool last);
  void dropped();  // it was destroyed without a whole reply

 private:
  // What is awaited: a request's first byte, the rest of its head, of its body, the reply and its
  // way out; then that the client has read it.
  enum class Phase { kIdle, kHead, kBody, kReply, kLinger, kClosed };

  void enter(Phase phase, std::chrono::milliseconds limit);
  void stop_timer();
  void timed_out();
  void send_held();
  void next_request();

  void read();
  void read_some();
  void client_ended(bool broken);
  void process(std::span<const std::byte> data);
  std::size_t parse(std::span<const std::byte> data);
  void head_is_done();
  void add_to_body(std::span<const std::byte> bytes);
  void request_is_done();
  void refuse(int status, const std::string& message);

  std::string head_of(const HttpReply& reply, bool in_parts);
  void write(std::string_view bytes);
  void written(bool failed);
  void reply_is_done();

  std::shared_ptr<ServerState> server_;
  Socket socket_;
  std::string peer_;
  boost::asio::steady_timer timer_;
  Phase phase_ = Phase::kIdle;
  std::optional<RequestParser> parser_;
  std::string kept_;  // received behind the request that is being answered
  bool reading_ = false;

  std::shared_ptr<ServerExchange> receiving_;  // its body
  std::weak_ptr<ServerExchange> waiting_;      // for its reply
  std::shared_ptr<ServerExchange> replying_;
  std::optional<HttpReply> refusal_;  // for the request whose body is being read to be dropped
  struct Held {                       // a reply that waits
    std::shared_ptr<ServerExchange> from;
    HttpReply reply;
    bool in_parts;
  };
  std::unique_ptr<Held> held_;

  std::string writing_;  // by the system, until written()
  std::string unwritten_;
  std::string_view page_;  // behind what is unwritten
  bool whole_ = false;     // no more of the reply is to come
  bool chunked_ = false;   // the reply
  bool close_after_ = false;
  bool without_body_ = false;  // the reply: of HEAD
  int status_ = 0;
  std::size_t reply_bytes_ = 0;  // of its body
};

// What a handler holds of a request. Its replies go to the connection's thread.
class ServerExchange final : public HttpExchange,
                             public std::enable_shared_from_this<ServerExchange> {
 public:
  ServerExchange(std::shared_ptr<ServerState> server, std::shared_ptr<ServerConnection> connection)
      : server_(std::move(server)), connection_(std::move(connection)) {}
  ~ServerExchange() override;

  void reply(HttpReply reply) override;
  void begin(HttpReply first) override;
  void part(std::string bytes) override;
  void end() override;

  void add_body(std::string_view bytes);
  void expect_reply() { owed_ = true; }  // from now on its end without one closes the connection
  void abandon() { abandoned_ = true; }

 private:
  void post(std::function<void(ServerConnection&)> what);

  std::shared_ptr<ServerState> server_;
  std::shared_ptr<ServerConnection> connection_;
  std::uint64_t counted_ = 0;  // bytes of the body in bodies_bytes
  bool owed_ = false;          // the reply, or the rest of it
};

}  // namespace lambert
