#include "serve/web_server.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "base/error.h"
#include "net/ascii.h"
#include "serve/content_coding.h"
#include "serve/query_string.h"
#include "serve/request_id.h"

namespace lambert {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
// What a page of ours may do: nothing but load its own files and ask this server.
constexpr const char* kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
constexpr std::size_t kWorthCompressing = 1024;  // bytes
constexpr int kClientLeft = 499;                 // in the log, as nginx has it

double seconds_since(SteadyClock::time_point time) {
  return std::chrono::duration<double>(SteadyClock::now() - time).count();
}

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

std::string_view value_of(const HttpRequestHead& head, std::string_view name) {
  const std::string* value = head.find(name);
  return value != nullptr ? std::string_view(*value) : std::string_view();
}

bool is_gzip(const HttpRequestHead& head) {
  return ascii_lower(value_of(head, "Content-Encoding")) == "gzip";
}

HttpReply to_http(ServiceReply reply) {
  HttpReply out{.status = reply.status, .headers = {}, .body = std::move(reply.body)};
  for (auto& [name, value] : reply.headers) {
    out.headers.push_back({std::move(name), std::move(value)});
  }
  return out;
}

HttpReply file_reply(const WebFile& file, std::string_view page, bool compressed) {
  HttpReply reply;
  reply.headers = {{"Content-Type", std::string(file.type)},
                   {"Content-Security-Policy", kPagePolicy},
                   {"X-Content-Type-Options", "nosniff"},
                   {"Referrer-Policy", "no-referrer"},
                   {"Cache-Control", "no-cache"},
                   {"Vary", "Accept-Encoding"}};
  if (compressed) reply.headers.push_back({"Content-Encoding", "gzip"});
  reply.page = page;
  return reply;
}

RequestError too_much(const std::string& why) {
  return {ErrorCode::kLimitExceeded, 429, "", why + "; try again later"};
}

HttpReply text_reply(std::string_view type, std::string body) {
  return {.status = 200, .headers = {{"Content-Type", std::string(type)}}, .body = std::move(body)};
}

}  // namespace

struct WebServer::Record {
  std::string id;
  std::string trace_id;
  std::string_view route;
  bool probe = false;
  std::optional<ErrorCode> error;
  AskStats stats;
};

std::vector<std::string> read_api_keys(const std::string& path) {
  std::ifstream file(path);
  if (!file) fail(ErrorCode::kNotFound, path, ": cannot be read; it must have one key a line");
  std::vector<std::string> keys;
  for (std::string line; std::getline(file, line);) {
    const std::string_view key = ascii_trim(line);
    if (!key.empty() && key.front() != '#') keys.emplace_back(key);
  }
  if (keys.empty()) fail(ErrorCode::kInvalidInput, path, ": has no keys; expected one a line");
  return keys;
}

WebServer::WebServer(WebServerSettings settings, Log log)
    : settings_(std::move(settings)), log_(std::move(log)) {
  for (const std::string& key : settings_.api_keys) keys_.push_back(sha256(key));
  queue_ = std::make_unique<RequestQueue>(
      settings_.queue, [this](const std::shared_ptr<HttpExchange>& exchange) { serve(*exchange); });
  server_ = std::make_unique<HttpServer>(settings_.http, *this);
}

WebServer::~WebServer() = default;

bool WebServer::run(Open open, std::function<void(const Answerer&)> ready) {
  std::thread loading(
      [this, open = std::move(open), ready = std::move(ready)] { load(open, ready); });
  server_->run();
  queue_->close();
  if (!loaded_) {
    loading.detach();
    return false;
  }
  loading.join();
  if (load_error_) std::rethrow_exception(load_error_);
  return true;
}

void WebServer::load(const Open& open, const std::function<void(const Answerer&)>& ready) noexcept {
  try {
    opened_ = open();
    answerer_ = opened_.get();
    if (ready) ready(*opened_);
  } catch (...) {
    load_error_ = std::current_exception();
  }
  loaded_ = true;
  if (load_error_) server_->stop();
}

MetricsSnapshot WebServer::snapshot() const {
  MetricsSnapshot now;
  now.ready = ready();
  now.connections = server_->connections();
  now.active_requests = active_;
  now.queue_depth = queue_->waiting();
  now.queue_capacity = queue_->limits().max_queue;
  now.expected_wait_seconds = queue_->expected_wait_s();
  if (const Answerer* answerer = answerer_) {
    const ModelInfo info = answerer->info();
    now.model_load_seconds = info.load_ms / 1e3;
    now.model_id = settings_.service.model_id;
    now.model_type = info.model_type;
    now.precision = info.precision;
    now.isa = info.isa;
  }
  return now;
}

// Compares digests, all of them, so that the time says nothing about a key.
bool WebServer::may_ask(const HttpRequestHead& head) const {
  if (keys_.empty()) return true;
  constexpr std::string_view kBearer = "bearer ";
  const std::string_view value = value_of(head, "Authorization");
  if (ascii_lower(value.substr(0, kBearer.size())) != kBearer) return false;
  const Sha256Digest given = sha256(ascii_trim(value.substr(kBearer.size())));
  unsigned found = 0;
  for (const Sha256Digest& key : keys_) {
    unsigned difference = 0;
    for (std::size_t i = 0; i < key.size(); ++i) {
      difference |= static_cast<unsigned>(key[i] ^ given[i]);
    }
    found |= static_cast<unsigned>(difference == 0);
  }
  return found != 0;
}

std::optional<HttpReply> WebServer::admit(const HttpRequestHead& head) {
  const ServiceRoute route = find_service_route(head.method, path_of(head.target));
  if (!route.computes) return std::nullopt;
  if (!may_ask(head)) {
    HttpReply reply =
        reject(Rejection::kUnauthorized,
               RequestError(ErrorCode::kInvalidArgument, 401, "",
                            "Authorization: must be \"Bearer KEY\" with a key of this server"),
               &head);
    reply.headers.push_back({"WWW-Authenticate", "Bearer"});
    return reply;
  }
  if (answerer_ == nullptr) {
    return reject(Rejection::kLoading,
                  RequestError(ErrorCode::kCancelled, 503, "", "the model is being loaded"), &head);
  }
  if (const auto why = queue_->full()) {
    HttpReply reply = reject(Rejection::kQueueFull, too_much(*why), &head);
    reply.wait = wait_for_refusal();
    return reply;
  }
  return std::nullopt;
}

HttpReply WebServer::reject(Rejection reason, const Error& error, const HttpRequestHead* head) {
  metrics_.rejected(reason);
  HttpReply reply = to_http(error_reply(error, settings_.service));
  if (reply.status == 429) reply.headers.push_back({"Retry-After", "1"});
  const std::string id = head != nullptr ? request_id(*head) : new_request_id();
  reply.headers.push_back({"X-Request-Id", id});
  const std::string_view method = head != nullptr ? std::string_view(head->method) : "_OTHER";
  const std::string_view route =
      head != nullptr ? find_service_route(method, path_of(head->target)).path : "";
  metrics_.request(method, route, reply.status, 0, {});
  RequestLog line;
  line.request_id = id;
  line.shape = route;
  line.status = reply.status;
  line.error = error.code();
  line.reply_bytes = reply.body.size();
  log_.request(line);
  return reply;
}

// Refusals are due at even times, but a tenth of a second's may come at once.
std::chrono::milliseconds WebServer::wait_for_refusal() {
  using Seconds = std::chrono::duration<double>;
  constexpr std::chrono::milliseconds kBurst{100}, kMost{250};
  const auto now = SteadyClock::now();
  const Seconds each(1 / settings_.refusals_per_second);
  next_refusal_ = std::max(next_refusal_, now - kBurst) +
                  std::chrono::duration_cast<SteadyClock::duration>(each);
  next_refusal_ = std::min(next_refusal_, now + kMost);
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(next_refusal_ - now);
  return std::max(wait, std::chrono::milliseconds(0));
}

HttpReply WebServer::refusal(int status, const std::string& message, const HttpRequestHead* head) {
  const Rejection reason = status == 408   ? Rejection::kTimeout
                           : status == 413 ? Rejection::kTooLarge
                           : status == 503 ? Rejection::kConnections
                                           : Rejection::kBadRequest;
  const ErrorCode code = status == 413 || status == 503 ? ErrorCode::kLimitExceeded
                         : status == 408                ? ErrorCode::kDeadlineExceeded
                                                        : ErrorCode::kInvalidInput;
  return reject(reason, RequestError(code, status, "", message), head);
}

void WebServer::handle(std::shared_ptr<HttpExchange> exchange) {
  auto record = std::make_shared<Record>();
  record->id = request_id(exchange->head);
  record->trace_id = trace_id(exchange->head);
  const std::string_view path = path_of(exchange->head.target);
  const ServiceRoute route = find_service_route(exchange->head.method, path);
  record->route = route.path;
  record->probe = !route.computes;
  exchange->note = record;
  ++active_;
  if (route.computes) {
    const auto why = queue_->push(exchange, working_bytes(*exchange));
    if (!why) return;
    metrics_.rejected(Rejection::kQueueFull);
    record->error = ErrorCode::kLimitExceeded;
    HttpReply full = to_http(error_reply(too_much(*why), settings_.service));
    full.headers.push_back({"Retry-After", "1"});
    full.headers.push_back({"X-Request-Id", record->id});
    full.wait = wait_for_refusal();
    return exchange->reply(std::move(full));
  }
  if (auto reply = own_reply(exchange->head, path)) {
    if (record->route.empty()) record->route = "own";
    reply->headers.push_back({"X-Request-Id", record->id});
    return exchange->reply(std::move(*reply));
  }
  serve(*exchange);
}

// What its body is going to take, before anything is made of it.
std::size_t WebServer::working_bytes(const HttpExchange& exchange) const {
  const std::size_t size = exchange.body.size();
  if (!is_gzip(exchange.head)) return size;
  return size + std::min(gunzipped_size(exchange.body), settings_.service.max_body_bytes);
}

// What the process itself has to say, and its pages; none for what the service answers.
std::optional<HttpReply> WebServer::own_reply(const HttpRequestHead& head, std::string_view path) {
  const WebFile* file = find_web_file(path);
  const bool own = path == "/livez" || path == "/metrics" || (file != nullptr && path != "/");
  const bool get = head.method == "GET" || head.method == "HEAD";
  if (!get) return own && head.method != "OPTIONS" ? method_reply() : std::optional<HttpReply>();
  if (file != nullptr) {
    const bool compressed = accepts_gzip(value_of(head, "Accept-Encoding"));
    return file_reply(*file, compressed ? file->gzip : plain_page(*file), compressed);
  }
  if (path == "/livez") return text_reply(kJsonType, "{\"status\":\"ok\"}");
  if (path == "/metrics") return text_reply(kMetricsType, metrics_.text(snapshot()));
  const bool of_health = path == "/readyz" || path == "/health" || path == "/ping" ||
                         path == "/v2/health/ready" || path.starts_with("/v2/models/");
  if (of_health && !ready()) return health_reply();
  return std::nullopt;
}

std::string_view WebServer::plain_page(const WebFile& file) {
  constexpr std::size_t kMost = std::size_t{1} << 20;
  std::string& page = pages_[&file];
  if (page.empty()) page = gunzip(file.gzip, kMost);
  return page;
}

HttpReply WebServer::method_reply() const {
  HttpReply reply =
      to_http(error_reply(RequestError(ErrorCode::kInvalidArgument, 405, "",
                                       "method: only GET and HEAD are understood here"),
                          settings_.service));
  reply.headers.push_back({"Allow", "GET, HEAD, OPTIONS"});
  return reply;
}

HttpReply WebServer::health_reply() const {
  const char* why = draining_ ? "the server is stopping" : "the model is being loaded";
  return to_http(error_reply(RequestError(ErrorCode::kCancelled, 503, "", why), settings_.service));
}

void WebServer::serve(HttpExchange& exchange) {
  ServiceReply reply;
  if (exchange.abandoned()) {
    reply = error_reply(RequestError(ErrorCode::kCancelled, kClientLeft, "", "the client has left"),
                        settings_.service);
  } else if (const Answerer* answerer = answerer_) {
    reply = service_reply(exchange, *answerer);
  } else {
    reply = error_reply(RequestError(ErrorCode::kCancelled, 503, "", "the model is being loaded"),
                        settings_.service);
  }
  send(exchange, std::move(reply));
}

ServiceReply WebServer::service_reply(HttpExchange& exchange, const Answerer& answerer) {
  const HttpRequestHead& head = exchange.head;
  ServiceRequest request;
  request.method = head.method;
  request.paths = {decode_component(path_of(head.target))};
  request.accept = value_of(head, "Accept");
  if (const std::size_t query = head.target.find('?'); query != std::string::npos) {
    request.query = parse_query(std::string_view(head.target).substr(query + 1));
  }
  request.content_encoding = value_of(head, "Content-Encoding");
  try {
    if (is_gzip(head)) {
      request.body = gunzip(exchange.body, settings_.service.max_body_bytes);
      request.content_encoding.clear();
    } else {
      request.body = std::move(exchange.body);
    }
  } catch (const Error& error) {
    return error_reply(error, settings_.service);
  }
  return serve_http(request, answerer, settings_.service,
                    {exchange.arrived + settings_.request_timeout,
                     [&exchange] { return exchange.abandoned().load(); }});
}

void WebServer::send(HttpExchange& exchange, ServiceReply reply) {
  Record& record = *static_cast<Record*>(exchange.note.get());
  record.error = reply.error;
  record.stats = reply.stats;
  const auto more = std::move(reply.more);
  const auto final_stats = std::move(reply.final_stats);
  HttpReply out = to_http(std::move(reply));
  out.headers.push_back({"X-Request-Id", record.id});
  if (more) {
    exchange.begin(std::move(out));
    while (auto part = more()) exchange.part(std::move(*part));
    record.stats = final_stats();
    return exchange.end();
  }
  if (out.body.size() >= kWorthCompressing &&
      accepts_gzip(value_of(exchange.head, "Accept-Encoding"))) {
    out.body = gzip(out.body);
    out.headers.push_back({"Content-Encoding", "gzip"});
    out.headers.push_back({"Vary", "Accept-Encoding"});
  }
  exchange.reply(std::move(out));
}

void WebServer::finished(const HttpExchange& exchange, int status, std::size_t bytes) {
  const Record& record = *static_cast<const Record*>(exchange.note.get());
  --active_;
  const double seconds = seconds_since(exchange.arrived);
  metrics_.request(exchange.head.method, record.route, status, seconds, record.stats);
  RequestLog line;
  line.request_id = record.id;
  line.trace_id = record.trace_id;
  line.probe = record.probe;
  line.shape = record.route;
  line.status = status;
  line.error = record.error;
  line.event_bytes = record.stats.question_bytes + record.stats.context_bytes;
  line.reply_bytes = bytes;
  line.stats = record.stats;
  line.total_ms = seconds * 1e3;
  log_.request(line);
}

}  // namespace lambert
