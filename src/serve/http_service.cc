#include "serve/http_service.h"

#include <algorithm>
#include <array>
#include <new>

#include "serve/answer_v1.h"
#include "serve/open_inference.h"
#include "serve/service_json.h"

namespace lambert {

namespace json = boost::json;

namespace {

// What a row's function gets.
struct Call {
  const ServiceRequest& request;
  const Answerer& answerer;
  const ServiceSettings& settings;
  const AskLimits& limits;
};
using Serve = void (*)(const Call& call, ServiceReply& reply);  // fills in the body

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

void ask(const Call& call, ServiceReply& reply) {
  PendingAnswers pending =
      submit(body_json(call.request, call.settings), call.answerer, call.settings.ask, call.limits);
  reply.body = wait_for_reply(pending);
  reply.stats = pending.stats();
}

void ask_in_query(const Call& call, ServiceReply& reply) {
  PendingAnswers pending =
      submit(call.request.query, call.answerer, call.settings.ask, call.limits);
  reply.body = wait_for_reply(pending);
  reply.stats = pending.stats();
}

void answer(const Call& call, ServiceReply& reply) {
  answer_v1(body_json(call.request, call.settings), call.request, call.answerer, call.settings,
            call.limits, reply);
}

void infer(const Call& call, ServiceReply& reply) {
  reply.body = open_inference(body_json(call.request, call.settings), call.answerer, call.settings,
                              call.limits, reply.stats);
}

void tokenize(const Call& call, ServiceReply& reply) {
  reply.body = tokens_json(body_json(call.request, call.settings), call.answerer);
}

void health(const Call& call, ServiceReply& reply) {
  reply.body = health_json(call.answerer);
}
void info(const Call& call, ServiceReply& reply) {
  reply.body = info_json(call.answerer, call.settings);
}
void infer_server(const Call&, ServiceReply& reply) {
  reply.body = open_inference_server_json();
}
void infer_model(const Call& call, ServiceReply& reply) {
  reply.body = open_inference_model_json(call.settings);
}
void infer_live(const Call&, ServiceReply& reply) {
  reply.body = "{\"live\":true}";
}
void infer_ready(const Call&, ServiceReply& reply) {
  reply.body = "{\"ready\":true}";
}

struct Route {
  std::string_view path;  // "{id}" stands for any text
  Serve get, post;        // null: not allowed
  bool get_computes = false;
};

constexpr Route kRoutes[] = {
    {"/ask", ask_in_query, ask, true},
    {"/", health, ask},
    {"/models/{id}", nullptr, ask},
    {"/invocations", nullptr, ask},
    {"/v1/answer", nullptr, answer},
    {"/v2/models/{id}/infer", nullptr, infer},
    {"/v2/models/{id}/ready", infer_ready, nullptr},
    {"/v2/models/{id}", infer_model, nullptr},
    {"/v2/health/live", infer_live, nullptr},
    {"/v2/health/ready", infer_ready, nullptr},
    {"/v2", infer_server, nullptr},
    {"/tokenize", nullptr, tokenize},
    {"/info", info, nullptr},
    {"/health", health, nullptr},
    {"/ping", health, nullptr},
    {"/readyz", health, nullptr},
};

bool matches(std::string_view pattern, std::string_view path) {
  constexpr std::string_view kId = "{id}";
  const std::size_t id = pattern.find(kId);
  if (id == std::string_view::npos) return pattern == path;
  const std::string_view before = pattern.substr(0, id), after = pattern.substr(id + kId.size());
  return path.size() > before.size() + after.size() && path.starts_with(before) &&
         path.ends_with(after);
}

const Route* find_route(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (path.empty()) path = "/";
  const auto* found = std::find_if(std::begin(kRoutes), std::end(kRoutes),
                                   [&](const Route& route) { return matches(route.path, path); });
  return found == std::end(kRoutes) ? nullptr : found;
}

const Route* find_route(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    if (const Route* route = find_route(path)) return route;
  }
  return nullptr;
}

std::string_view allowed_methods(const Route& route) {
  if (route.get == nullptr) return "OPTIONS, POST";
  return route.post == nullptr ? "GET, HEAD, OPTIONS" : "GET, HEAD, OPTIONS, POST";
}

bool is_get(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

Serve function_for(const Route& route, std::string_view method) {
  if (is_get(method)) return route.get;
  return method == "POST" ? route.post : nullptr;
}

ServiceReply serve(const Call& call) {
  const std::string& method = call.request.method;
  if (method == "OPTIONS") return preflight(call.settings);
  const Route* route = find_route(call.request.paths);
  if (route == nullptr) {
    throw RequestError(ErrorCode::kNotFound, 404, "",
                       "path: nothing is here; questions go to POST /ask");
  }
  const Serve function = function_for(*route, method);
  if (function == nullptr) {
    ServiceReply reply =
        error_reply(RequestError(ErrorCode::kInvalidArgument, 405, "",
                                 "method: is " + quote(method, 16) + ", but only " +
                                     std::string(allowed_methods(*route)) + " are understood here"),
                    call.settings);
    reply.headers.emplace_back("Allow", allowed_methods(*route));
    return reply;
  }
  ServiceReply reply;
  function(call, reply);
  if (reply.headers.empty()) reply.headers.emplace_back("Content-Type", kJsonType);
  add_cors(reply, call.settings);
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

ServiceRoute find_service_route(std::string_view method, std::string_view path) {
  const Route* route = find_route(path);
  if (route == nullptr) return {};
  return {route->path,
          function_for(*route, method) != nullptr && (is_get(method) ? route->get_computes : true)};
}

ServiceReply serve_http(const ServiceRequest& request, const Answerer& answerer,
                        const ServiceSettings& settings, const AskLimits& limits) {
  ServiceReply reply;
  try {
    reply = serve({request, answerer, settings, limits});
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
