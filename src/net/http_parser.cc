#include "net/http_parser.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>
#include <string>

#include "base/error.h"
#include "net/network_error.h"

namespace lambert {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using beast::string_view;

template <typename... Parts>
[[noreturn]] void malformed(const Parts&... parts) {
  network_fail(Retry::kNo, "the server's response is not valid HTTP: ", parts...);
}

std::string_view text_of(std::span<const std::byte> data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

}  // namespace

const std::string* find_header(const HttpHeaders& headers, std::string_view name) {
  for (const HttpHeader& header : headers) {
    if (beast::iequals(header.name, string_view(name.data(), name.size()))) return &header.value;
  }
  return nullptr;
}

class ResponseParser::Impl final : public http::basic_parser<false> {
 public:
  explicit Impl(bool without_body) {
    skip(without_body);
    header_limit(kMaxHead);
    body_limit(boost::none);  // bodies are not kept here
    eager(false);
  }

  HttpHead head;
  const ByteSink* sink = nullptr;  // of the current call of put
  std::uint64_t body_bytes = 0;
  std::uint64_t chunk_left = 0;  // bytes of the chunk that is being read

 private:
  void on_request_impl(http::verb, string_view, string_view, int, beast::error_code&) override {}

  void on_response_impl(int code, string_view, int version, beast::error_code&) override {
    if (code < 100 || code > 599) malformed("status ", code);
    head.status = code;
    version_ = version;
  }

  void on_field_impl(http::field field, string_view name, string_view value,
                     beast::error_code&) override {
    if (is_header_done()) return;  // trailers have nothing to say
    if (field == http::field::content_length) {
      if (length_seen_) malformed("Content-Length stands there twice");
      length_seen_ = true;
      if (!std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        malformed("Content-Length ", quote({value.data(), value.size()}));
      }
    }
    if (field == http::field::transfer_encoding &&
        (version_ < 11 || !beast::iequals(value, "chunked"))) {
      malformed("Transfer-Encoding ", quote({value.data(), value.size()}), " in HTTP/1.",
                version_ - 10, ", only \"chunked\" in HTTP/1.1 is accepted");
    }
    head.headers.push_back({std::string(name), std::string(value)});
  }

  void on_header_impl(beast::error_code&) override {
    if (const auto length = content_length()) head.content_length = *length;
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}

  std::size_t on_body_impl(string_view body, beast::error_code&) override {
    body_bytes += body.size();
    if (!body.empty()) (*sink)(std::as_bytes(std::span(body.data(), body.size())));
    return body.size();
  }

  void on_chunk_header_impl(std::uint64_t size, string_view extension,
                            beast::error_code&) override {
    if (extension.size() > kMaxChunkHeader) {
      malformed("a chunk extension of ", extension.size(), " bytes");
    }
    if (size > std::numeric_limits<std::uint64_t>::max() / 2) malformed("a chunk of ", size);
    chunk_left = size;
  }

  std::size_t on_chunk_body_impl(std::uint64_t, string_view body,
                                 beast::error_code& error) override {
    chunk_left -= body.size();
    return on_body_impl(body, error);
  }

  void on_finish_impl(beast::error_code&) override {}

  int version_ = 0;
  bool length_seen_ = false;
};

namespace {

constexpr std::size_t kLastChunk = std::string_view("0\r\n\r\n").size();

// The bytes of the head in front of `data`; 0 when its end has not come yet.
std::size_t head_size(std::string_view data) {
  constexpr std::string_view kBegin = "HTTP/1.";
  const std::size_t shared = std::min(data.size(), kBegin.size());
  if (data.substr(0, shared) != kBegin.substr(0, shared)) {
    malformed("it begins with ", quote(data, 24));
  }
  const std::size_t end = data.substr(0, ResponseParser::kMaxHead).find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (data.size() < ResponseParser::kMaxHead) return 0;
    malformed("a head of more than ", ResponseParser::kMaxHead, " bytes");
  }
  const std::string_view head = data.substr(0, end);
  if (head.find("\r\n ") != std::string_view::npos ||
      head.find("\r\n\t") != std::string_view::npos) {
    malformed("a folded header line");
  }
  return end + 4;
}

}  // namespace

ResponseParser::ResponseParser(bool without_body) : impl_(std::make_unique<Impl>(without_body)) {}

ResponseParser::~ResponseParser() = default;

std::size_t ResponseParser::put(std::span<const std::byte> data, const ByteSink& body) {
  std::size_t taken = 0;
  impl_->sink = &body;
  if (!impl_->is_header_done()) {
    const std::size_t size = head_size(text_of(data));
    if (size == 0) return 0;
    beast::error_code error;
    taken = impl_->put({data.data(), size}, error);
    if (error || taken != size || !impl_->is_header_done()) {
      malformed(error ? error.message() : "a head that ends early");
    }
    return taken;
  }
  while (taken < data.size() && !impl_->is_done()) {
    beast::error_code error;
    const auto rest = data.subspan(taken);
    // Beast (1.81) asserts that what follows a last chunk of which it saw "0\r\n" has come in more
    // than one byte. As the end of a chunked body has five, fewer can wait.
    const bool in_chunk = impl_->chunk_left > 0;
    if (impl_->chunked() && !in_chunk && rest.size() < kLastChunk) break;
    const std::size_t got = impl_->put({rest.data(), rest.size()}, error);
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

void ResponseParser::put_end() {
  if (!impl_->is_header_done()) {
    throw ConnectionLost("the connection was closed before the server's response was complete");
  }
  if (impl_->is_done()) return;
  beast::error_code error;
  impl_->put_eof(error);
  if (!error) return;
  if (impl_->head.content_length) {
    network_fail(Retry::kYes, "the connection was closed after ", impl_->body_bytes, " of ",
                 *impl_->head.content_length, " bytes");
  }
  network_fail(Retry::kYes, "the connection was closed after ", impl_->body_bytes,
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

}  // namespace lambert
