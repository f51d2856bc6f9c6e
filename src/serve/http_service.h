// The HTTP service, whatever brought the request: paths, methods, bodies, CORS, errors.
//
// The paths are one table, in http_service.cc; a further dialect joins by a row:
//
//   POST /ask, GET /ask?question=&context=   a request as in serve/ask.h
//   POST /, /models/{id}, /invocations       the same: Hugging Face's inference API, SageMaker
//   POST /v1/answer                          serve/answer_v1.h
//   POST /v2/models/{id}/infer, GET /v2...   Open Inference Protocol v2 (serve/open_inference.h)
//   POST /tokenize, GET /info                the tokens of two texts; the model and the limits
//   GET  /, /health, /ping                   what model answers; 200, since who is asked has loaded
//                                            it. The server has answers of its own to these
//   OPTIONS of any path                      the preflight of browsers
//
// HEAD is GET without the body; a trailing slash does not count. The type of the content is not
// looked at: the service before Lambert did not, and `curl -d` sends another one.
#pragma once

#include <chrono>
#include <functional>
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
  std::string accept;              // what the reply may be; "": anything
  boost::json::object query;       // decoded
  std::string body;
  const boost::json::value* json = nullptr;  // in place of `body`, where it came as JSON
};

struct ServiceSettings {
  AskSettings ask;
  std::size_t max_body_bytes = 6'291'556;  // a longer body is answered with 413
  std::string cors_origin = "*";           // Access-Control-Allow-Origin; "": no such headers
  std::string model_id = "lambert";        // the name that replies have for the model
};

struct ServiceReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // A body that comes in parts: what follows `body`, until there is none. May wait and throw.
  std::function<std::optional<std::string>()> more;
  std::optional<ErrorCode> error;
  AskStats stats;  // of a streamed body: see `final_stats`
  std::function<AskStats()> final_stats = {};
};

// The row of the table that a request goes to.
struct ServiceRoute {
  std::string_view path;  // as the table has it, "/models/{id}"; "" where nothing is known
  bool computes = false;  // it needs the model: it may take a while
};
ServiceRoute find_service_route(std::string_view method, std::string_view path);

// The reply to a request that could not be served.
ServiceReply error_reply(const Error& error, const ServiceSettings& settings);

// What goes wrong is the reply; throws only where memory does not suffice for that.
ServiceReply serve_http(const ServiceRequest& request, const Answerer& answerer,
                        const ServiceSettings& settings, const AskLimits& limits);

}  // namespace lambert
