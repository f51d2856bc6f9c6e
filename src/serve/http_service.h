// The HTTP service, whatever brought the request: paths, methods, bodies, CORS, errors.
//
//   POST /ask, POST /        a request as in serve/ask.h
//   GET  /ask?question=&context=
//   GET  /, /health, /ping   what model answers; 200, since whoever is asked has loaded it
//   OPTIONS of any path      the preflight of browsers
//
// HEAD is GET without the body; a trailing slash does not count. The type of the content is not
// looked at: the service before Lambert did not, and `curl -d` sends another one.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "lambert/lambert.h"
#include "serve/ask.h"

namespace lambert {

struct ServiceRequest {
  std::string method;
  std::vector<std::string> paths;  // what the path may be; the first that is known counts
  std::string content_encoding;    // of the body; "" or "identity", else 415
  boost::json::object query;       // decoded
  std::string body;
  const boost::json::value* json = nullptr;  // in place of `body`, where it came as JSON
};

struct ServiceSettings {
  AskSettings ask;
  std::size_t max_body_bytes = 6'291'556;  // a longer body is answered with 413
  std::string cors_origin = "*";           // Access-Control-Allow-Origin; "": no such headers
};

struct ServiceReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::optional<ErrorCode> error;
  AskStats stats;
};

// The reply to a request that could not be served.
ServiceReply error_reply(const Error& error, const ServiceSettings& settings);

// What goes wrong is the reply; throws only where memory does not suffice for that.
ServiceReply serve_http(const ServiceRequest& request, const Answerer& answerer,
                        const ServiceSettings& settings,
                        std::chrono::steady_clock::time_point deadline);

}  // namespace lambert
