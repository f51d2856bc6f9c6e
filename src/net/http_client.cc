#include "net/http_client.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "net/ascii.h"
#include "net/network_error.h"

namespace lambert {

namespace {

constexpr int kMaxInformational = 16;  // heads with 1xx before the one that counts

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_ascii_alphanumeric(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
  });
}

void append_header(std::string_view name, std::string_view value, std::string& out) {
  // The value may be a secret: it is not repeated.
  if (!is_token(name) || !is_field_value(value)) {
    fail(ErrorCode::kInvalidArgument, "the request header ", quote(name),
         " has a name or a value with characters that HTTP does not allow");
  }
  out.append(name).append(": ").append(value).append("\r\n");
}

// The same error with the server in front of it.
[[noreturn]] void rethrow_with(const Url& server) {
  const std::string prefix = server.origin() + ": ";
  const auto named = [&](const char* message) {
    return std::string_view(message).starts_with(prefix) ? message : prefix + message;
  };
  try {
    throw;
  } catch (const ConnectionLost& error) {
    throw ConnectionLost(named(error.what()));
  } catch (const NetworkError& error) {
    throw NetworkError(error.retryable() ? Retry::kYes : Retry::kNo, named(error.what()),
                       error.code());
  }
}

}  // namespace

HttpConnection::HttpConnection(Url server, HttpOptions options)
    : server_(std::move(server)), options_(std::move(options)) {
  if (server_.https && !options_.tls) {
    fail(ErrorCode::kInternal, server_.origin(), ": https needs HttpOptions::tls");
  }
}

void HttpConnection::close() {
  connection_.reset();
  begin_ = end_ = 0;
}

bool HttpConnection::reusable() {
  return connection_ && begin_ == end_ && parser_ && parser_->done() && parser_->keep_alive() &&
         connection_->is_quiet();
}

void HttpConnection::open(TimePoint deadline) {
  close();
  const TimePoint until = bounded(deadline, options_.connect_timeout, *options_.waiting.clock);
  const Url& next = options_.proxy ? options_.proxy->url : server_;
  if (!options_.unix_path.empty()) {
    connection_ =
        std::make_unique<Socket>(Socket::connect_unix(options_.unix_path, until, options_.waiting));
  } else {
    connection_ =
        std::make_unique<Socket>(Socket::connect(next.host, next.port, until, options_.waiting));
  }
  if (options_.proxy && next.https) {
    connection_ = options_.tls->handshake(std::move(connection_), next.host, until);
  }
  if (!server_.https) return;
  if (options_.proxy) open_tunnel(until);
  connection_ = options_.tls->handshake(std::move(connection_), server_.host, until);
}

void HttpConnection::open_tunnel(TimePoint deadline) {
  std::string target = server_.authority();
  if (server_.port == 443) target += ":443";
  std::string head = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  if (const auto& authorization = options_.proxy->authorization) {
    append_header("Proxy-Authorization", authorization->reveal(), head);
  }
  head += "\r\n";
  connection_->write(std::as_bytes(std::span(head)), deadline);
  read_head(true, deadline);
  const int status = parser_->head().status;
  if (status / 100 != 2 || begin_ != end_) {
    network_fail(status >= 500 ? Retry::kYes : Retry::kNo, "the proxy ",
                 options_.proxy->url.origin(), " refused to connect to ", target, ": status ",
                 status);
  }
}

std::string HttpConnection::head_of(const HttpRequest& request) const {
  if (!is_token(request.method) || !request.target.starts_with('/') ||
      !is_encoded(request.target)) {
    fail(ErrorCode::kInvalidArgument, "not a valid HTTP request: method ", quote(request.method),
         ", target ", quote(request.target, 300));
  }
  const bool through_proxy = options_.proxy && !server_.https;
  std::string head = request.method + " " + (through_proxy ? server_.origin() : "") +
                     request.target + " HTTP/1.1\r\n";
  append_header("Host", server_.authority(), head);
  append_header("User-Agent", options_.user_agent, head);
  if (through_proxy && options_.proxy->authorization) {
    append_header("Proxy-Authorization", options_.proxy->authorization->reveal(), head);
  }
  for (const HttpHeader& header : request.headers) append_header(header.name, header.value, head);
  const bool reads_only = request.method == "GET" || request.method == "HEAD";
  if (!reads_only || !request.body.empty()) {
    append_header("Content-Length", std::to_string(request.body.size()), head);
  }
  return head + "\r\n";
}

const HttpHead& HttpConnection::start(const HttpRequest& request, TimePoint deadline) {
  const std::string head = head_of(request);
  try {
    const bool reused = reusable();
    try {
      if (!reused) open(deadline);
      exchange(request, head, deadline);
    } catch (const ConnectionLost&) {
      if (!reused || received_ || !request.idempotent) throw;
      open(deadline);
      exchange(request, head, deadline);
    }
  } catch (const NetworkError&) {
    close();
    rethrow_with(server_);
  } catch (...) {
    close();
    throw;
  }
  return parser_->head();
}

void HttpConnection::exchange(const HttpRequest& request, const std::string& head,
                              TimePoint deadline) {
  received_ = false;
  try {
    if (request.body.size() <= (std::size_t{16} << 10)) {  // one packet, and one record of TLS
      const std::string whole = head + std::string(request.body);
      connection_->write(std::as_bytes(std::span(whole)), deadline);
    } else {
      connection_->write(std::as_bytes(std::span(head)), deadline);
      connection_->write(std::as_bytes(std::span(request.body)), deadline);
    }
  } catch (const ConnectionLost&) {
    // A server may answer before it has read all, for example 413, and close.
    try {
      read_head(request.method == "HEAD", deadline);
      return;
    } catch (const NetworkError&) {
    }
    throw;
  }
  read_head(request.method == "HEAD", deadline);
}

// Receives once; false at the end of the stream.
bool HttpConnection::receive(TimePoint deadline) {
  if (begin_ == end_) begin_ = end_ = 0;
  if (buffer_.empty()) buffer_.resize(std::size_t{64} << 10);
  if (end_ == buffer_.size()) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  const std::size_t got =
      connection_->read(std::span(buffer_).subspan(end_),
                        bounded(deadline, options_.idle_timeout, *options_.waiting.clock));
  end_ += got;
  received_ = received_ || got > 0;
  return got > 0;
}

void HttpConnection::read_head(bool without_body, TimePoint deadline) {
  for (int heads = 0; heads <= kMaxInformational; ++heads) {
    parser_.emplace(without_body);
    while (!parser_->head_done()) {
      begin_ += parser_->put(std::span(buffer_).subspan(begin_, end_ - begin_), {});
      if (!parser_->head_done() && !receive(deadline)) parser_->put_end();
    }
    const int status = parser_->head().status;
    if (status == 101) network_fail(Retry::kNo, "the server switches protocols unasked");
    if (status >= 200) return;
  }
  network_fail(Retry::kNo, "more than ", kMaxInformational, " responses with status 1xx");
}

void HttpConnection::read_body(const ByteSink& sink, TimePoint deadline) {
  try {
    while (!parser_->done()) {
      const std::size_t taken =
          parser_->put(std::span(buffer_).subspan(begin_, end_ - begin_), sink);
      begin_ += taken;
      if (taken == 0 && !parser_->done() && !receive(deadline)) {
        parser_->put_end();
        close();
      }
    }
  } catch (const NetworkError&) {
    close();
    rethrow_with(server_);
  } catch (...) {
    close();
    throw;
  }
  if (connection_ && !parser_->keep_alive()) close();
}

HttpResponse HttpConnection::request(const HttpRequest& request, std::size_t max_body,
                                     TimePoint deadline) {
  HttpResponse response;
  response.head = start(request, deadline);
  const auto refuse = [&](std::uint64_t size) {
    close();
    throw NetworkError(Retry::kNo,
                       server_.origin() + ": the response has " + std::to_string(size) +
                           " bytes or more, at most " + std::to_string(max_body) + " are accepted",
                       ErrorCode::kLimitExceeded);
  };
  // HEAD may name a length, but has no body.
  if (!parser_->done() && response.head.content_length.value_or(0) > max_body) {
    refuse(*response.head.content_length);
  }
  read_body(
      [&](std::span<const std::byte> bytes) {
        if (bytes.size() > max_body - response.body.size()) {
          refuse(response.body.size() + bytes.size());
        }
        response.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      },
      deadline);
  return response;
}

}  // namespace lambert
