#include "net/http_parser.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>
#include <sstream>
#include <string>

#include "base/error.h"
#include "net/ascii.h"
#include "net/network_error.h"

namespace lambert {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using beast::string_view;

template <typename... Parts>
[[noreturn]] void bad_request(int status, const Parts&... parts) {
  std::ostringstream message;
  (message << ... << parts);
  throw BadHttpRequest(status, message.str());
}

std::string_view text_of(std::span<const std::byte> data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

// Whether the first line of `head` is that of a request of some version of HTTP.
bool names_version(std::string_view head) {
  constexpr std::string_view kName = "HTTP/";
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const std::string_view version = line.substr(line.rfind(' ') + 1);
  return std::count(line.begin(), line.end(), ' ') == 2 && version.starts_with(kName) &&
         version.size() == kName.size() + 3 && is_ascii_digit(version[kName.size()]) &&
         version[kName.size() + 1] == '.' && is_ascii_digit(version[kName.size() + 2]);
}

// What both kinds of message have in common.
template <bool is_request>
class MessageParser : public http::basic_parser<is_request> {
 public:
  MessageParser() {
    this->header_limit(kMaxHttpHead);
    this->body_limit(boost::none);  // bodies are not kept here
    this->eager(false);
  }

  template <typename... Parts>
  [[noreturn]] static void malformed(const Parts&... parts) {
    if constexpr (is_request) {
      bad_request(400, parts...);
    } else {
      network_fail(Retry::kNo, "the server's response is not valid HTTP: ", parts...);
    }
  }

  std::size_t put_bytes(std::span<const std::byte> data, const ByteSink& sink) {
    sink_ = &sink;
    return this->is_header_done() ? put_body(data) : put_head(data);
  }

  std::uint64_t body_bytes() const { return body_bytes_; }

 protected:
  std::optional<std::uint64_t> length_of_body() const {
    if (const auto length = this->content_length()) return *length;
    return std::nullopt;
  }

  // Refuses fields that frame the body in a way that another program may understand otherwise.
  void check_framing(http::field field, string_view value) {
    if (field != http::field::content_length) return;
    if (length_seen_) malformed("Content-Length stands there twice");
    length_seen_ = true;
    if (!std::all_of(value.begin(), value.end(), is_ascii_digit)) {
      malformed("Content-Length ", quote({value.data(), value.size()}));
    }
  }

  int version_ = 0;  // 10 or 11

 private:
  void on_request_impl(http::verb, string_view, string_view, int, beast::error_code&) override {}
  void on_response_impl(int, string_view, int, beast::error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}
  void on_finish_impl(beast::error_code&) override {}

  std::size_t on_body_impl(string_view body, beast::error_code&) override {
    body_bytes_ += body.size();
    if (!body.empty()) (*sink_)(std::as_bytes(std::span(body.data(), body.size())));
    return body.size();
  }

  void on_chunk_header_impl(std::uint64_t size, string_view extension,
                            beast::error_code&) override {
    if (extension.size() > kMaxChunkHeader) {
      malformed("a chunk extension of ", extension.size(), " bytes");
    }
    if (size > std::numeric_limits<std::uint64_t>::max() / 2) malformed("a chunk of ", size);
    chunk_left_ = size;
  }

  std::size_t on_chunk_body_impl(std::uint64_t, string_view body,
                                 beast::error_code& error) override {
    chunk_left_ -= body.size();
    return on_body_impl(body, error);
  }

  std::size_t put_head(std::span<const std::byte> data) {
    const std::size_t size = head_size(text_of(data));
    if (size == 0) return 0;
    beast::error_code error;
    const std::size_t taken = this->put({data.data(), size}, error);
    if (is_request && error == http::error::bad_version && names_version(text_of(data))) {
      bad_request(505, "only HTTP/1.0 and HTTP/1.1 are understood");
    }
    if (error || taken != size || !this->is_header_done()) {
      malformed(error ? error.message() : "a head that ends early");
    }
    return taken;
  }

  // The bytes of the head in front of `data`; 0 when its end has not come yet.
  std::size_t head_size(std::string_view data) {
    check_begin(data);
    constexpr std::string_view kEnd = "\r\n\r\n";
    const std::string_view within = data.substr(0, kMaxHttpHead);
    const std::size_t end = within.find(kEnd, searched_);
    if (end == std::string_view::npos) {
      if (data.size() < kMaxHttpHead) {
        searched_ = data.size() < kEnd.size() ? 0 : data.size() - kEnd.size() + 1;
        return 0;
      }
      if constexpr (is_request) {
        bad_request(431, "request line and headers have more than ", kMaxHttpHead, " bytes");
      }
      malformed("a head of more than ", kMaxHttpHead, " bytes");
    }
    const std::string_view head = data.substr(0, end);
    if (head.find("\r\n ") != std::string_view::npos ||
        head.find("\r\n\t") != std::string_view::npos) {
      malformed("a folded header line");
    }
    return end + kEnd.size();
  }

  static void check_begin(std::string_view data) {
    if constexpr (is_request) {  // so that what is no HTTP at all need not be awaited to its end
      if (!data.empty() && !is_ascii_alphanumeric(data[0])) {
        malformed("it begins with ", quote(data, 24));
      }
    } else {
      constexpr std::string_view kBegin = "HTTP/1.";
      const std::size_t shared = std::min(data.size(), kBegin.size());
      if (data.substr(0, shared) != kBegin.substr(0, shared)) {
        malformed("it begins with ", quote(data, 24));
      }
    }
  }

  std::size_t put_body(std::span<const std::byte> data) {
    constexpr std::size_t kLastChunk = std::string_view("0\r\n\r\n").size();
    std::size_t taken = 0;
    while (taken < data.size() && !this->is_done()) {
      beast::error_code error;
      const auto rest = data.subspan(taken);
      // Beast (1.81) asserts that what follows a last chunk of which it saw "0\r\n" has come in
      // more than one byte. As the end of a chunked body has five, fewer can wait.
      if (this->chunked() && chunk_left_ == 0 && rest.size() < kLastChunk) break;
      const std::size_t got = this->put({rest.data(), rest.size()}, error);
      taken += got;
      if (error && error != http::error::need_more) malformed(error.message());
      if (got > 0) continue;
      if (rest.size() >= kMaxChunkHeader) {
        malformed("a chunk header or trailer of more than ", kMaxChunkHeader, " bytes");
      }
      break;
    }
    return taken;
  }

  const ByteSink* sink_ = nullptr;  // of the current call of put_bytes
  std::size_t searched_ = 0;        // of the head, for its end
  std::uint64_t body_bytes_ = 0;
  std::uint64_t chunk_left_ = 0;  // bytes of the chunk that is being read
  bool length_seen_ = false;
};

}  // namespace

const std::string* find_header(const HttpHeaders& headers, std::string_view name) {
  for (const HttpHeader& header : headers) {
    if (beast::iequals(header.name, string_view(name.data(), name.size()))) return &header.value;
  }
  return nullptr;
}

class ResponseParser::Impl final : public MessageParser<false> {
 public:
  explicit Impl(bool without_body) { skip(without_body); }

  HttpHead head;

 private:
  void on_response_impl(int code, string_view, int version, beast::error_code&) override {
    if (code < 100 || code > 599) malformed("status ", code);
    head.status = code;
    version_ = version;
  }

  void on_field_impl(http::field field, string_view name, string_view value,
                     beast::error_code&) override {
    if (is_header_done()) return;  // trailers have nothing to say
    check_framing(field, value);
    if (field == http::field::transfer_encoding &&
        (version_ < 11 || !beast::iequals(value, "chunked"))) {
      malformed("Transfer-Encoding ", quote({value.data(), value.size()}), " in HTTP/1.",
                version_ - 10, ", only \"chunked\" in HTTP/1.1 is accepted");
    }
    head.headers.push_back({std::string(name), std::string(value)});
  }

  void on_header_impl(beast::error_code&) override { head.content_length = length_of_body(); }
};

ResponseParser::ResponseParser(bool without_body) : impl_(std::make_unique<Impl>(without_body)) {}
ResponseParser::~ResponseParser() = default;

std::size_t ResponseParser::put(std::span<const std::byte> data, const ByteSink& body) {
  return impl_->put_bytes(data, body);
}

void ResponseParser::put_end() {
  if (!impl_->is_header_done()) {
    throw ConnectionLost("the connection was closed before the server's response was complete");
  }
  if (impl_->is_done()) return;
  beast::error_code error;
  impl_->put_eof(error);
  if (!error) return;
  if (impl_->head.content_length) {
    network_fail(Retry::kYes, "the connection was closed after ", impl_->body_bytes(), " of ",
                 *impl_->head.content_length, " bytes");
  }
  network_fail(Retry::kYes, "the connection was closed after ", impl_->body_bytes(),
               " bytes, before the last chunk");
}

bool ResponseParser::head_done() const {
  return impl_->is_header_done();
}
bool ResponseParser::done() const {
  return impl_->is_done();
}
bool ResponseParser::keep_alive() const {
  return impl_->keep_alive();
}
const HttpHead& ResponseParser::head() const {
  return impl_->head;
}

class RequestParser::Impl final : public MessageParser<true> {
 public:
  HttpRequestHead head;
  std::size_t empty_lines = 0;  // bytes of those in front of the request
  std::uint64_t sent = 0;       // bytes of the body with its chunk headers

  // Chunks of one byte are five times what they hold; this leaves them room.
  void check_overhead() const {
    constexpr std::uint64_t kAllowed = std::uint64_t{64} << 10;
    if (sent > kAllowed + 16 * body_bytes()) {
      malformed("chunk headers of ", sent - body_bytes(), " bytes for a body of ", body_bytes());
    }
  }

 private:
  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       beast::error_code&) override {
    version_ = head.version = version;
    head.method = std::string(method);
    head.target = path_of({target.data(), target.size()});
  }

  // The form for proxies (RFC 9112, 3.2.2) names the server once more: only its path counts.
  std::string path_of(std::string_view target) const {
    if (target.starts_with('/') || (target == "*" && head.method == "OPTIONS")) {
      return std::string(target);
    }
    for (const std::string_view scheme : {"http://", "https://"}) {
      if (ascii_lower(target.substr(0, scheme.size())) != scheme) continue;
      const std::size_t path = target.find_first_of("/?", scheme.size());
      if (path == std::string_view::npos) return "/";
      return (target[path] == '?' ? "/" : "") + std::string(target.substr(path));
    }
    malformed("the target ", quote(target), " is no path; it must begin with '/'");
  }

  void on_field_impl(http::field field, string_view name, string_view value,
                     beast::error_code&) override {
    if (is_header_done()) return;  // trailers have nothing to say
    check_framing(field, value);
    if (field == http::field::host) ++hosts_;
    if (field == http::field::transfer_encoding) read_transfer_encoding(value);
    if (field == http::field::expect && version_ >= 11) {
      head.expects_continue = beast::iequals(value, "100-continue");
    }
    head.headers.push_back({std::string(name), std::string(value)});
  }

  void read_transfer_encoding(string_view value) {
    if (head.chunked) malformed("Transfer-Encoding stands there twice");
    if (version_ < 11) malformed("Transfer-Encoding in HTTP/1.0");
    if (!beast::iequals(value, "chunked")) {
      bad_request(501, "Transfer-Encoding ", quote({value.data(), value.size()}),
                  ": only \"chunked\" is understood");
    }
    head.chunked = true;
  }

  void on_header_impl(beast::error_code&) override {
    head.content_length = length_of_body();
    if (hosts_ > 1 || (hosts_ == 0 && version_ >= 11)) {
      malformed(hosts_, " Host headers; HTTP/1.1 wants one");
    }
  }

  int hosts_ = 0;
};

RequestParser::RequestParser() : impl_(std::make_unique<Impl>()) {}
RequestParser::~RequestParser() = default;

std::size_t RequestParser::put(std::span<const std::byte> data, const ByteSink& body) {
  if (impl_->is_header_done()) {
    const std::size_t taken = impl_->put_bytes(data, body);
    impl_->sent += taken;
    impl_->check_overhead();
    return taken;
  }
  constexpr std::size_t kMostEmptyLines = 16;  // bytes; clients of old sent one after a request
  if (!data.empty() && (data[0] == std::byte{'\r'} || data[0] == std::byte{'\n'})) {
    if (++impl_->empty_lines > kMostEmptyLines) bad_request(400, "it begins with empty lines");
    return 1;
  }
  return impl_->put_bytes(data, body);
}

bool RequestParser::head_done() const {
  return impl_->is_header_done();
}
bool RequestParser::done() const {
  return impl_->is_done();
}
bool RequestParser::keep_alive() const {
  return impl_->keep_alive();
}
HttpRequestHead& RequestParser::head() {
  return impl_->head;
}

}  // namespace lambert
