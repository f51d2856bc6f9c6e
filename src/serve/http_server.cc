#include "serve/http_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <set>
#include <utility>

#include "base/error.h"
#include "serve/server_connection.h"

namespace lambert {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Failure = boost::system::error_code;
using Protocol = asio::generic::stream_protocol;

constexpr std::chrono::milliseconds kAcceptRetry{100};
// Clients that were just replied to send their next request, and learn from its reply that the
// connection ends, instead of finding it closed.
constexpr std::chrono::milliseconds kDrainGrace{200};

std::string address_of(const Protocol::endpoint& endpoint) {
  char text[INET6_ADDRSTRLEN] = "";
  const void* data = endpoint.data();
  const int family = endpoint.protocol().family();
  if (family == AF_INET) {
    ::inet_ntop(family, &static_cast<const sockaddr_in*>(data)->sin_addr, text, sizeof text);
  } else if (family == AF_INET6) {
    ::inet_ntop(family, &static_cast<const sockaddr_in6*>(data)->sin6_addr, text, sizeof text);
  }
  return text;
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const HttpServerSettings& settings, HttpHandler& handler)
      : state_(std::make_shared<ServerState>(settings, handler)) {
    if (settings.unix_path.empty()) {
      listen_tcp();
    } else {
      listen_unix();
    }
    state_->closed = [this](const std::shared_ptr<ServerConnection>& connection) {
      connections_.erase(connection);
      open_ = connections_.size();
      end_if_drained();
    };
  }

  ~Impl() {
    stop();
    for (const auto& connection : std::set(connections_)) connection->close();
    if (!state_->settings.unix_path.empty()) ::unlink(state_->settings.unix_path.c_str());
    if (reserve_ >= 0) ::close(reserve_);
  }

  void run() {
    await_signal();
    accept();
    state_->io.run();
  }

  void drain() {
    asio::post(state_->io, [this] { begin_to_drain(); });
  }
  void stop() { state_->io.stop(); }
  std::size_t connections() const { return open_; }
  const std::string& url() const { return url_; }

 private:
  void listen_tcp();
  void listen_unix();
  void await_signal();
  void accept();
  void accepted(Failure failure, Protocol::socket socket);
  void add(Protocol::socket socket);
  void shed();
  void begin_to_drain();
  void end_if_drained();

  std::shared_ptr<ServerState> state_;
  asio::basic_socket_acceptor<Protocol> acceptor_{state_->io};
  asio::signal_set signals_{state_->io};
  asio::steady_timer timer_{state_->io};  // of accept() after a failure, then of the drain
  std::set<std::shared_ptr<ServerConnection>> connections_;
  std::atomic<std::size_t> open_ = 0;
  std::string url_;
  int reserve_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);  // for a connection to be refused with
};

void HttpServer::Impl::listen_tcp() {
  const HttpServerSettings& settings = state_->settings;
  Failure failure;
  const auto address =
      asio::ip::make_address(settings.host == "localhost" ? "127.0.0.1" : settings.host, failure);
  if (failure) {
    fail(ErrorCode::kInvalidArgument, "host ", quote(settings.host),
         ": expected an address such as 127.0.0.1, 0.0.0.0 or ::");
  }
  const tcp::endpoint endpoint(address, settings.port);
  const std::string host = address.is_v6() ? '[' + address.to_string() + ']' : address.to_string();
  url_ = "http://" + host + ':';
  try {
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(asio::socket_base::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen(asio::socket_base::max_listen_connections);
    acceptor_.non_blocking(true);
    const Protocol::endpoint bound = acceptor_.local_endpoint();
    const auto* name = static_cast<const sockaddr_in*>(static_cast<const void*>(bound.data()));
    url_ += std::to_string(ntohs(name->sin_port));  // at the same place in a sockaddr_in6
  } catch (const boost::system::system_error& error) {
    fail(ErrorCode::kIo, host, ':', settings.port, ": cannot listen: ", error.code().message());
  }
}

void HttpServer::Impl::listen_unix() {
  const std::string& path = state_->settings.unix_path;
  try {
    const asio::local::stream_protocol::endpoint endpoint(path);
    asio::local::stream_protocol::socket other(state_->io);
    Failure failure;
    other.connect(endpoint, failure);
    if (!failure) fail(ErrorCode::kIo, path, ": another server listens there");
    if (failure == boost::system::errc::connection_refused) {
      ::unlink(path.c_str());  // left by one that was killed
    }
    acceptor_.open(endpoint.protocol());
    acceptor_.bind(endpoint);
    acceptor_.listen(asio::socket_base::max_listen_connections);
    acceptor_.non_blocking(true);
  } catch (const boost::system::system_error& error) {
    fail(ErrorCode::kIo, path, ": cannot listen: ", error.code().message());
  }
  url_ = "unix:" + path;
}

void HttpServer::Impl::await_signal() {
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  signals_.async_wait([this](Failure failure, int) {
    if (failure) return;
    if (state_->draining) return stop();
    begin_to_drain();
    if (!connections_.empty()) await_signal();
  });
}

void HttpServer::Impl::accept() {
  acceptor_.async_accept(state_->io, [this](Failure failure, Protocol::socket socket) {
    if (!acceptor_.is_open()) return;
    accepted(failure, std::move(socket));
  });
}

void HttpServer::Impl::accepted(Failure failure, Protocol::socket socket) {
  if (!failure) {
    add(std::move(socket));
    return accept();
  }
  const bool full = failure == boost::system::errc::too_many_files_open ||
                    failure == boost::system::errc::too_many_files_open_in_system;
  if (full) shed();
  timer_.expires_after(kAcceptRetry);
  timer_.async_wait([this](Failure cancelled) {
    if (!cancelled && acceptor_.is_open()) accept();
  });
}

// Without descriptors a waiting client would wait for ever: it is told, by a connection that ends.
void HttpServer::Impl::shed() {
  if (reserve_ < 0) return;
  ::close(reserve_);
  const int one = ::accept(acceptor_.native_handle(), nullptr, nullptr);
  if (one >= 0) ::close(one);
  reserve_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void HttpServer::Impl::add(Protocol::socket socket) {
  Failure ignored;
  socket.non_blocking(true, ignored);
  const Protocol::endpoint peer = socket.remote_endpoint(ignored);
  if (state_->settings.unix_path.empty()) socket.set_option(tcp::no_delay(true), ignored);
  constexpr std::size_t kTurnedAway = 64;  // at once, in words; further ones are just closed
  const std::size_t most = state_->settings.max_connections;
  const bool full = connections_.size() >= most;
  if (connections_.size() >= most + kTurnedAway) return;
  auto connection = std::make_shared<ServerConnection>(state_, std::move(socket), address_of(peer));
  connections_.insert(connection);
  open_ = connections_.size();
  if (!full) return connection->start();
  connection->turn_away(state_->handler.refusal(
      503, "max_connections: there are " + std::to_string(most) + " already; try again later",
      nullptr));
}

void HttpServer::Impl::begin_to_drain() {
  if (state_->draining) return;
  state_->draining = true;
  state_->handler.draining();
  Failure failure;
  while (!failure) {  // who has connected already is not turned away
    Protocol::socket socket(state_->io);
    acceptor_.accept(socket, failure);
    if (!failure) add(std::move(socket));
  }
  acceptor_.close(failure);
  end_if_drained();
  timer_.expires_after(kDrainGrace);
  timer_.async_wait([this](Failure cancelled) {
    if (cancelled) return;
    for (const auto& connection : std::set(connections_)) connection->close_if_idle();
  });
}

void HttpServer::Impl::end_if_drained() {
  if (!state_->draining || !connections_.empty()) return;
  signals_.cancel();
  timer_.cancel();
}

HttpServer::HttpServer(const HttpServerSettings& settings, HttpHandler& handler)
    : impl_(std::make_unique<Impl>(settings, handler)) {}
HttpServer::~HttpServer() = default;

void HttpServer::run() {
  impl_->run();
}
void HttpServer::drain() {
  impl_->drain();
}
void HttpServer::stop() {
  impl_->stop();
}
std::size_t HttpServer::connections() const {
  return impl_->connections();
}
std::string HttpServer::url() const {
  return impl_->url();
}

}  // namespace lambert
