// `lambert serve`: the HTTP service as a process of its own. It listens at once, loads the model
// meanwhile, and keeps requests within bounds:
//
//   connection thread: heads, bodies, keys, routes; answers what needs no model
//     -> queue, bounded in number and time; further ones get 429 before their body is looked at
//       -> threads that read a request's JSON, wait for the engine and write the reply
//
// Questions of all these threads are in the engine at once, which computes their windows together.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "net/digest.h"
#include "serve/http_server.h"
#include "serve/http_service.h"
#include "serve/log.h"
#include "serve/metrics.h"
#include "serve/request_queue.h"
#include "serve/web_files.h"

namespace lambert {

struct WebServerSettings {
  HttpServerSettings http;
  ServiceSettings service;
  // Of its threads each has a request in the engine. A request takes some ten times its body.
  RequestQueueLimits queue;
  // Refusals for want of room (429). Further ones are held back for up to 0.25 s, so that clients
  // that ask again at once do not take the time of those who wait.
  double refusals_per_second = 1000;
  std::chrono::milliseconds request_timeout{30'000};
  std::vector<std::string> api_keys = {};  // one of them is wanted, unless there are none
};

// The keys in a file, one a line; blank lines and those that begin with '#' do not count. Throws
// kNotFound, kIo, and kInvalidInput for a file without keys.
std::vector<std::string> read_api_keys(const std::string& path);

class WebServer final : public HttpHandler {
 public:
  using Open = std::function<std::unique_ptr<const Answerer>()>;

  // Listens. Throws as HttpServer and RequestQueue.
  WebServer(WebServerSettings settings, Log log);
  ~WebServer() override;

  std::string url() const { return server_->url(); }
  // Serves until SIGTERM or SIGINT has drained it, or drain() or stop(). `open` is called in a
  // thread of its own, `ready` after it. Rethrows the error of `open`, which ends the server.
  // False: it was stopped while `open` ran, and that goes on: the process has to end.
  bool run(Open open, std::function<void(const Answerer&)> ready = {});
  void drain() { server_->drain(); }  // thread-safe
  void stop() { server_->stop(); }    // thread-safe
  MetricsSnapshot snapshot() const;   // thread-safe

 private:
  struct Record;  // of a request, until its reply is sent

  std::optional<HttpReply> admit(const HttpRequestHead& head) override;
  void handle(std::shared_ptr<HttpExchange> exchange) override;
  HttpReply refusal(int status, const std::string& message, const HttpRequestHead* head) override;
  void finished(const HttpExchange& exchange, int status, std::size_t bytes) override;
  void draining() override { draining_ = true; }

  bool may_ask(const HttpRequestHead& head) const;
  bool ready() const { return answerer_ != nullptr && !draining_; }
  std::optional<HttpReply> own_reply(const HttpRequestHead& head, std::string_view path);
  std::string_view plain_page(const WebFile& file);
  HttpReply health_reply() const;
  HttpReply method_reply() const;
  HttpReply reject(Rejection reason, const Error& error, const HttpRequestHead* head);
  std::chrono::milliseconds wait_for_refusal();
  std::size_t working_bytes(const HttpExchange& exchange) const;
  void serve(HttpExchange& exchange);
  ServiceReply service_reply(HttpExchange& exchange, const Answerer& answerer);
  void send(HttpExchange& exchange, ServiceReply reply);
  void load(const Open& open, const std::function<void(const Answerer&)>& ready) noexcept;

  const WebServerSettings settings_;
  const Log log_;
  std::vector<Sha256Digest> keys_;
  Metrics metrics_;
  std::unique_ptr<const Answerer> opened_;
  std::atomic<const Answerer*> answerer_ = nullptr;  // null: loading
  std::exception_ptr load_error_;
  std::atomic<bool> loaded_ = false;  // or failed to
  std::chrono::steady_clock::time_point next_refusal_;
  std::atomic<bool> draining_ = false;
  std::atomic<std::size_t> active_ = 0;
  std::map<const WebFile*, std::string> pages_;  // uncompressed; of the server's thread
  std::unique_ptr<RequestQueue> queue_;
  std::unique_ptr<HttpServer> server_;  // last: its end comes first
};

}  // namespace lambert
