// Parsing one HTTP/1 message (Boost.Beast), stricter than the library where proxies and servers are
// known to disagree. Beyond what Beast refuses: folded header lines, a length given twice or as a
// list, any Transfer-Encoding but "chunked" (and that in HTTP/1.0), heads above 32 KiB, chunk
// headers and trailers above 4 KiB.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

#include "base/byte_sink.h"
#include "net/http_message.h"

namespace lambert {

inline constexpr std::size_t kMaxHttpHead = std::size_t{32} << 10;
inline constexpr std::size_t kMaxChunkHeader = std::size_t{4} << 10;

// One object a response; for one thread. Malformed responses, and status codes outside 100 to 599,
// are NetworkErrors that say what is wrong.
class ResponseParser {
 public:
  // `without_body`: of the answer to HEAD, or of the head that CONNECT wants.
  explicit ResponseParser(bool without_body);
  ~ResponseParser();

  // Parses from the front of `data`, which begins with the bytes that the last call left, until
  // the head is complete, then to the end of the body, which goes to `body`. Returns how many bytes
  // it took; 0 when it needs more. A `data` of kMaxHttpHead bytes is always enough for progress.
  std::size_t put(std::span<const std::byte> data, const ByteSink& body);
  // The stream has ended. Throws unless that is how this response ends.
  void put_end();

  bool head_done() const;
  bool done() const;
  bool keep_alive() const;       // once done: the connection may be used again
  const HttpHead& head() const;  // once head_done

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Why a request is not understood, with the status of the reply; the connection is of no more use.
class BadHttpRequest : public std::runtime_error {
 public:
  BadHttpRequest(int status, const std::string& message)
      : std::runtime_error(message), status_(status) {}
  int status() const noexcept { return status_; }  // 400, 431, 501 or 505

 private:
  int status_;
};

// One object a request; for one thread. Malformed requests are BadHttpRequests: also those without
// a Host in HTTP/1.1, with two, with a target that is no path, with both a length and chunks, and
// with so many small chunks or long chunk headers that these are most of what is sent.
class RequestParser {
 public:
  RequestParser();
  ~RequestParser();

  // As ResponseParser::put; empty lines in front of the request are passed over.
  std::size_t put(std::span<const std::byte> data, const ByteSink& body);

  bool head_done() const;
  bool done() const;
  bool keep_alive() const;  // once head_done: the client wants to send more requests
  HttpRequestHead& head();  // once head_done

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lambert
