#include "serve/server_connection.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <ctime>
#include <utility>

#include "net/ascii.h"
#include "serve/request_error.h"

namespace lambert {

namespace {

namespace asio = boost::asio;
using Failure = boost::system::error_code;

// A refused body that is not longer than this is read, so that the connection can go on.
constexpr std::uint64_t kDroppable = std::uint64_t{64} << 10;
constexpr std::chrono::seconds kLinger{2};

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// IMF-fixdate (RFC 9110, 5.6.7).
std::string http_date() {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[parts.tm_wday],
                parts.tm_mday, kMonths[parts.tm_mon], 1900 + parts.tm_year, parts.tm_hour,
                parts.tm_min, parts.tm_sec);
  return text;
}

std::string chunk(std::string_view bytes) {
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + std::string(bytes) + "\r\n";
}

}  // namespace

ServerConnection::ServerConnection(const std::shared_ptr<ServerState>& server, Socket socket,
                                   std::string peer)
    : server_(server), socket_(std::move(socket)), peer_(std::move(peer)), timer_(server->io) {}

void ServerConnection::start() {
  next_request();
}

void ServerConnection::turn_away(HttpReply reply) {
  reply.close = true;
  send(nullptr, std::move(reply), false);
  read();
}

void ServerConnection::close_if_idle() {
  if (phase_ == Phase::kIdle) close();
}

void ServerConnection::close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  timer_.cancel();
  Failure ignored;
  socket_.close(ignored);
  if (const auto waiting = waiting_.lock()) waiting->abandon();
  if (const auto held = std::move(held_); held && held->from) {
    server_->handler.finished(*held->from, held->reply.status, 0);
  }
  if (replying_) {
    replying_->abandon();
    server_->handler.finished(*replying_, status_, reply_bytes_);
    replying_.reset();
  }
  receiving_.reset();
  server_->closed(shared_from_this());
}

void ServerConnection::enter(Phase phase, std::chrono::milliseconds limit) {
  phase_ = phase;
  timer_.expires_after(limit);
  timer_.async_wait([self = shared_from_this()](Failure failure) {
    if (!failure && self->timer_.expiry() <= asio::steady_timer::clock_type::now()) {
      self->timed_out();
    }
  });
}

void ServerConnection::stop_timer() {
  timer_.expires_at(asio::steady_timer::time_point::max());
}

void ServerConnection::timed_out() {
  switch (phase_) {
    case Phase::kHead: return refuse(408, "the head of the request did not come in time");
    case Phase::kBody: return refuse(408, "the body of the request did not come in time");
    case Phase::kIdle: return close();
    case Phase::kReply: return held_ ? send_held() : close();  // the client does not read it
    case Phase::kLinger: return close();
    case Phase::kClosed: return;
  }
}

void ServerConnection::next_request() {
  if (close_after_) {
    // What the client may still send would make the system throw the reply away, were it closed
    // now.
    Failure ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    kept_.clear();
    enter(Phase::kLinger, kLinger);
    return read();
  }
  parser_.emplace();
  enter(Phase::kIdle, server_->settings.idle_timeout);
  if (kept_.empty()) return read();
  const std::string kept = std::exchange(kept_, {});
  process(std::as_bytes(std::span(kept)));
}

void ServerConnection::read() {
  if (reading_ || phase_ == Phase::kClosed) return;
  if (phase_ == Phase::kReply && kept_.size() > kMaxHttpHead / 2) return;
  reading_ = true;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](Failure failure) {
    self->reading_ = false;
    if (self->phase_ == Phase::kClosed) return;
    if (failure) return self->client_ended(true);
    self->read_some();
  });
}

void ServerConnection::read_some() {
  std::vector<std::byte>& scratch = server_->scratch;
  Failure failure;
  const std::size_t size = socket_.read_some(asio::buffer(scratch), failure);
  if (failure == asio::error::would_block || failure == asio::error::interrupted) return read();
  if (failure) return client_ended(failure != asio::error::eof);
  const std::span<const std::byte> arrived(scratch.data(), size);
  if (phase_ == Phase::kLinger) return read();
  if (phase_ == Phase::kReply) {
    kept_ += text_of(arrived);
    return read();
  }
  if (kept_.empty()) return process(arrived);
  std::string all = std::exchange(kept_, {});
  all += text_of(arrived);
  process(std::as_bytes(std::span(all)));
}

// The end of what the client sends, or of the connection altogether. Who sends no more while it
// waits for a reply is taken for gone, as most servers do, but gets a reply if there is one.
void ServerConnection::client_ended(bool broken) {
  if (phase_ != Phase::kReply || broken) return close();
  close_after_ = true;
  if (const auto waiting = waiting_.lock()) waiting->abandon();
}

void ServerConnection::process(std::span<const std::byte> data) {
  try {
    while (!data.empty() && phase_ <= Phase::kBody) {
      if (phase_ == Phase::kIdle) enter(Phase::kHead, server_->settings.head_timeout);
      const std::size_t taken = parse(data);
      if (taken == 0) break;
      data = data.subspan(taken);
    }
  } catch (const BadHttpRequest& error) {
    return refuse(error.status(), error.what());
  }
  if (phase_ <= Phase::kReply) kept_ = text_of(data);
  read();
}

std::size_t ServerConnection::parse(std::span<const std::byte> data) {
  const std::size_t taken =
      parser_->put(data, [this](std::span<const std::byte> bytes) { add_to_body(bytes); });
  if (phase_ == Phase::kHead && parser_->head_done()) head_is_done();
  if (phase_ == Phase::kBody && parser_->done()) request_is_done();
  return taken;
}

void ServerConnection::head_is_done() {
  HttpRequestHead& head = parser_->head();
  without_body_ = head.method == "HEAD";
  if (!parser_->keep_alive() || server_->draining) close_after_ = true;
  if (head.content_length.value_or(0) > server_->settings.max_body_bytes) {
    return refuse(413, "the body has " + std::to_string(*head.content_length) + " bytes, at most " +
                           std::to_string(server_->settings.max_body_bytes) + " are accepted");
  }
  refusal_ = server_->handler.admit(head);
  const bool has_body = head.chunked || head.content_length.value_or(0) > 0;
  if (refusal_ && has_body &&
      (head.chunked || head.expects_continue || *head.content_length > kDroppable)) {
    close_after_ = true;
    return send(nullptr, *std::exchange(refusal_, {}), false);
  }
  if (head.expects_continue && has_body) write("HTTP/1.1 100 Continue\r\n\r\n");
  if (!refusal_) receiving_ = std::make_shared<ServerExchange>(server_, shared_from_this());
  enter(Phase::kBody, server_->settings.body_timeout);
}

void ServerConnection::add_to_body(std::span<const std::byte> bytes) {
  if (!receiving_) return;  // the request is refused
  const HttpServerSettings& settings = server_->settings;
  if (receiving_->body.size() + bytes.size() > settings.max_body_bytes) {
    throw BadHttpRequest(413, "the body has more than the accepted " +
                                  std::to_string(settings.max_body_bytes) + " bytes");
  }
  if (server_->bodies_bytes + bytes.size() > settings.max_bodies_bytes) {
    throw BadHttpRequest(503, "too many large requests at once; try again later");
  }
  receiving_->add_body(text_of(bytes));
}

void ServerConnection::request_is_done() {
  phase_ = Phase::kReply;
  stop_timer();
  if (refusal_) return send(nullptr, *std::exchange(refusal_, {}), false);
  const std::shared_ptr<ServerExchange> exchange = std::move(receiving_);
  exchange->head = std::move(parser_->head());
  exchange->peer = peer_;
  exchange->arrived = std::chrono::steady_clock::now();
  exchange->expect_reply();
  waiting_ = exchange;
  server_->handler.handle(exchange);
}

// Replies to what cannot be understood or waited for, and closes: where the next request would
// begin is not known.
void ServerConnection::refuse(int status, const std::string& message) {
  receiving_.reset();
  close_after_ = true;
  const HttpRequestHead* head = parser_->head_done() ? &parser_->head() : nullptr;
  send(nullptr, server_->handler.refusal(status, message, head), false);
  read();
}

std::string ServerConnection::head_of(const HttpReply& reply, bool in_parts) {
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + ' ' +
                     std::string(reason_phrase(reply.status)) + "\r\nDate: " + http_date() + "\r\n";
  for (const HttpHeader& header : reply.headers) head += header.name + ": " + header.value + "\r\n";
  if (chunked_) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (!in_parts && reply.status != 204) {
    const std::size_t size = reply.page.empty() ? reply.body.size() : reply.page.size();
    head += "Content-Length: " + std::to_string(size) + "\r\n";
  }
  return head + (close_after_ ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n");
}

void ServerConnection::send(std::shared_ptr<ServerExchange> from, HttpReply reply, bool in_parts) {
  if (phase_ == Phase::kClosed) {
    if (from) server_->handler.finished(*from, reply.status, 0);
    return;
  }
  if (reply.wait.count() > 0) {
    const std::chrono::milliseconds wait = std::exchange(reply.wait, {});
    held_ = std::make_unique<Held>(Held{std::move(from), std::move(reply), in_parts});
    return enter(Phase::kReply, wait);
  }
  const bool old_client = from && from->head.version < 11;  // knows no chunks
  chunked_ = in_parts && !old_client;
  close_after_ = close_after_ || reply.close || server_->draining || (in_parts && old_client);
  replying_ = std::move(from);
  waiting_.reset();
  status_ = reply.status;
  reply_bytes_ = 0;
  whole_ = false;
  phase_ = Phase::kReply;
  if (!without_body_) page_ = reply.page;
  reply_bytes_ += page_.size();
  unwritten_ += head_of(reply, in_parts);  // goes out with the first of the body
  send_part(std::move(reply.body), !in_parts);
}

void ServerConnection::send_held() {
  stop_timer();
  const std::unique_ptr<Held> held = std::move(held_);
  send(std::move(held->from), std::move(held->reply), held->in_parts);
}

void ServerConnection::send_part(std::string bytes, bool last) {
  if (phase_ == Phase::kClosed) return;
  whole_ = last;
  if (!without_body_) {
    reply_bytes_ += bytes.size();
    if (chunked_ && !bytes.empty()) bytes = chunk(bytes);
    if (chunked_ && last) bytes += chunk({});
    unwritten_ += bytes;
  }
  write({});
}

void ServerConnection::dropped() {
  close();  // the client sees a reply that breaks off, or none
}

// One write at a time; what comes meanwhile goes out together.
void ServerConnection::write(std::string_view bytes) {
  unwritten_ += bytes;
  if (!writing_.empty() || phase_ == Phase::kClosed) return;
  if (unwritten_.empty()) {
    if (whole_) reply_is_done();
    return;
  }
  writing_ = std::exchange(unwritten_, {});
  if (phase_ == Phase::kReply) enter(Phase::kReply, server_->settings.write_timeout);
  const std::string_view page = std::exchange(page_, {});
  const std::array<asio::const_buffer, 2> buffers = {asio::buffer(writing_), asio::buffer(page)};
  asio::async_write(socket_, buffers, [self = shared_from_this()](Failure failure, std::size_t) {
    self->written(static_cast<bool>(failure));
  });
}

void ServerConnection::written(bool failed) {
  writing_.clear();
  if (phase_ == Phase::kClosed) return;
  if (failed) return close();
  if (phase_ == Phase::kReply) stop_timer();
  write({});
}

void ServerConnection::reply_is_done() {
  whole_ = false;
  if (replying_) {
    server_->handler.finished(*replying_, status_, reply_bytes_);
    replying_.reset();
  }
  next_request();
}

ServerExchange::~ServerExchange() {
  server_->bodies_bytes -= counted_;
  if (owed_) post([](ServerConnection& connection) { connection.dropped(); });
}

void ServerExchange::add_body(std::string_view bytes) {
  counted_ += bytes.size();
  server_->bodies_bytes += bytes.size();
  body += bytes;
}

void ServerExchange::post(std::function<void(ServerConnection&)> what) {
  asio::post(server_->io,
             [connection = connection_, what = std::move(what)] { what(*connection); });
}

void ServerExchange::reply(HttpReply reply) {
  owed_ = false;
  post([self = shared_from_this(), reply = std::move(reply)](ServerConnection& connection) mutable {
    connection.send(std::move(self), std::move(reply), false);
  });
}

void ServerExchange::begin(HttpReply first) {
  post([self = shared_from_this(), first = std::move(first)](ServerConnection& connection) mutable {
    connection.send(std::move(self), std::move(first), true);
  });
}

void ServerExchange::part(std::string bytes) {
  post([bytes = std::move(bytes)](ServerConnection& connection) mutable {
    connection.send_part(std::move(bytes), false);
  });
}

void ServerExchange::end() {
  owed_ = false;
  post([](ServerConnection& connection) { connection.send_part({}, true); });
}

}  // namespace lambert
