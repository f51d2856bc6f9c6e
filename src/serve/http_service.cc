#include "serve/http_service.h"

#include <algorithm>
#include <array>
#include <new>

#include "wire/json_writer.h"

namespace lambert {

namespace json = boost::json;

namespace {

struct Route {
  std::string_view path;
  bool asks, tells_health;  // asks: POST; GET too, unless it tells health
};

constexpr Route kRoutes[] = {
    {"/ask", true, false},
    {"/", true, true},
    {"/health", false, true},
    {"/ping", false, true},
};

const Route* find_route(const std::vector<std::string>& paths) {
  for (std::string_view path : paths) {
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    if (path.empty()) path = "/";
    for (const Route& route : kRoutes) {
      if (route.path == path) return &route;
    }
  }
  return nullptr;
}

std::string_view allowed_methods(const Route& route) {
  return route.asks ? "GET, HEAD, OPTIONS, POST" : "GET, HEAD, OPTIONS";
}

void add_cors(ServiceReply& reply, const ServiceSettings& settings) {
  if (settings.cors_origin.empty()) return;
  reply.headers.emplace_back("Access-Control-Allow-Origin", settings.cors_origin);
}

ServiceReply preflight(const ServiceSettings& settings) {
  ServiceReply reply;
  reply.status = 204;
  add_cors(reply, settings);
  if (settings.cors_origin.empty()) return reply;
  reply.headers.emplace_back("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS, POST");
  reply.headers.emplace_back("Access-Control-Allow-Headers",
                             "Authorization, Content-Type, X-Amz-Date, X-Amz-Security-Token, "
                             "X-Api-Key");
  reply.headers.emplace_back("Access-Control-Max-Age", "86400");
  return reply;
}

std::string health_json(const Answerer& answerer) {
  const ModelInfo info = answerer.info();
  std::string out = "{\"status\":\"ok\",\"version\":\"" LAMBERT_VERSION "\"";
  for (const auto& [name, text] :
       {std::pair<std::string_view, std::string_view>{"model_type", info.model_type},
        {"precision", info.precision},
        {"isa", info.isa}}) {
    out += ",\"" + std::string(name) + "\":";
    append_json_string(out, text);
  }
  return out + ",\"max_seq_len\":" + std::to_string(info.max_seq_len) + '}';
}

bool is_identity(std::string_view encoding) {
  constexpr std::string_view kIdentity = "identity";
  return encoding.empty() ||
         std::equal(encoding.begin(), encoding.end(), kIdentity.begin(), kIdentity.end(),
                    [](char a, char b) { return (a | 0x20) == b; });
}

json::value body_json(const ServiceRequest& request, const ServiceSettings& settings) {
  if (request.json != nullptr) return *request.json;
  if (!is_identity(request.content_encoding)) {
    throw RequestError(ErrorCode::kInvalidInput, 415, "",
                       "Content-Encoding: is " + quote(request.content_encoding, 40) +
                           ", but only bodies without one are read; send it uncompressed");
  }
  return parse_body(request.body, settings.max_body_bytes);
}

ServiceReply serve(const ServiceRequest& request, const Answerer& answerer,
                   const ServiceSettings& settings,
                   std::chrono::steady_clock::time_point deadline) {
  if (request.method == "OPTIONS") return preflight(settings);
  const Route* route = find_route(request.paths);
  if (route == nullptr) {
    throw RequestError(ErrorCode::kNotFound, 404, "",
                       "path: nothing is here; questions go to POST /ask");
  }
  const bool get = request.method == "GET" || request.method == "HEAD";
  if (!get && !(route->asks && request.method == "POST")) {
    ServiceReply reply =
        error_reply(RequestError(ErrorCode::kInvalidArgument, 405, "",
                                 "method: is " + quote(request.method, 16) + ", but only " +
                                     std::string(allowed_methods(*route)) + " are understood here"),
                    settings);
    reply.headers.emplace_back("Allow", allowed_methods(*route));
    return reply;
  }
  ServiceReply reply;
  reply.headers.emplace_back("Content-Type", kJsonType);
  add_cors(reply, settings);
  if (get && route->tells_health) {
    reply.body = health_json(answerer);
  } else {
    PendingReply pending = submit(get ? json::value(request.query) : body_json(request, settings),
                                  answerer, settings.ask, deadline);
    reply.body = pending.wait();
    reply.stats = pending.stats();
  }
  return reply;
}

}  // namespace

ServiceReply error_reply(const Error& error, const ServiceSettings& settings) {
  ServiceReply reply;
  reply.status = http_status(error);
  reply.error = error.code();
  reply.headers.emplace_back("Content-Type", kProblemType);
  add_cors(reply, settings);
  if (reply.status == 503) reply.headers.emplace_back("Retry-After", "1");
  reply.body = problem_json(error);
  return reply;
}

ServiceReply serve_http(const ServiceRequest& request, const Answerer& answerer,
                        const ServiceSettings& settings,
                        std::chrono::steady_clock::time_point deadline) {
  ServiceReply reply;
  try {
    reply = serve(request, answerer, settings, deadline);
  } catch (const Error& error) {
    reply = error_reply(error, settings);
  } catch (const std::bad_alloc&) {
    reply = error_reply(Error(ErrorCode::kLimitExceeded, "not enough memory for this request"),
                        settings);
  } catch (const std::exception& error) {
    reply = error_reply(Error(ErrorCode::kInternal, error.what()), settings);
  }
  if (request.method == "HEAD") reply.body.clear();
  return reply;
}

}  // namespace lambert
