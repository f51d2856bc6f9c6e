// Parsing one HTTP/1 response (Boost.Beast), stricter than the library where proxies and servers
// are known to disagree.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "base/byte_sink.h"
#include "net/http_message.h"

namespace lambert {

// One object a response; for one thread. Malformed responses are NetworkErrors that say what is
// wrong. Refused beyond what Beast refuses: folded header lines, a length given twice or as a list,
// any Transfer-Encoding but "chunked" (and that in HTTP/1.0), status codes outside 100 to 599,
// heads above 32 KiB, chunk headers and trailers above 4 KiB.
class ResponseParser {
 public:
  static constexpr std::size_t kMaxHead = std::size_t{32} << 10;
  static constexpr std::size_t kMaxChunkHeader = std::size_t{4} << 10;

  // `without_body`: of the answer to HEAD, or of the head that CONNECT wants.
  explicit ResponseParser(bool without_body);
  ~ResponseParser();

  // Parses from the front of `data`, which begins with the bytes that the last call left, until
  // the head is complete, then to the end of the body, which goes to `body`. Returns how many bytes
  // it took; 0 when it needs more. A `data` of kMaxHead bytes is always enough for progress.
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

}  // namespace lambert
