// HTTP requests and responses, as values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lambert {

struct HttpHeader {
  std::string name, value;
};
using HttpHeaders = std::vector<HttpHeader>;

// The value of the first header of that name, whatever its case; null when there is none.
const std::string* find_header(const HttpHeaders& headers, std::string_view name);

// A request that is sent.
struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";  // path and query, encoded
  HttpHeaders headers = {};  // but Host, Content-Length and Connection
  std::string_view body = {};
  bool idempotent = true;  // may be sent once more when an idle connection turns out to be closed
};

// The head of a request that is received.
struct HttpRequestHead {
  std::string method;  // as it was sent: methods are case-sensitive
  std::string target;  // path and query, encoded; "*" for OPTIONS of the whole server
  int version = 11;    // 10 or 11
  HttpHeaders headers;
  std::optional<std::uint64_t> content_length;  // none: no body, or one in chunks
  bool chunked = false;
  bool expects_continue = false;  // HTTP/1.1 with "Expect: 100-continue"

  const std::string* find(std::string_view name) const { return find_header(headers, name); }
};

// The head of a response.
struct HttpHead {
  int status = 0;
  HttpHeaders headers;
  std::optional<std::uint64_t> content_length;  // of the body that follows

  const std::string* find(std::string_view name) const { return find_header(headers, name); }
};

struct HttpResponse {
  HttpHead head;
  std::string body;
};

}  // namespace lambert
