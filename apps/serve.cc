#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>

#include "base/cgroup.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "commands.h"
#include "model_options.h"
#include "output.h"
#include "serve/web_server.h"

namespace lambert {

namespace {

constexpr const char* kServeFooter = R"(Examples:
  lambert serve
  lambert serve --model hf://org/name --host 0.0.0.0 --port 80 --api-keys keys.txt
  curl localhost:8080/ask -d '{"question":"Who wrote it?","context":"Ada Lovelace wrote it."}'

SIGTERM or Ctrl-C: answers what it has, then ends; a second one ends it at once. A page to try it
is at /, the reference of its routes at /docs.)";

struct ServeCommand {
  Options options;
  WebServerSettings settings;
  std::string api_keys;
  std::string log_format = "text";
};

// "models/distilbert-minilm-squad/" -> "distilbert-minilm-squad"; hf://org/name -> org/name.
std::string model_id(const std::string& model) {
  constexpr std::string_view kHub = "hf://";
  if (model.starts_with(kHub)) return model.substr(kHub.size());
  const std::filesystem::path path = std::filesystem::path(model).lexically_normal();
  const std::string name = (path.has_filename() ? path : path.parent_path()).filename().string();
  if (name == "model" || name == "model.lambert" || name.empty()) return "lambert";
  return name.ends_with(".lambert") ? std::filesystem::path(name).stem().string() : name;
}

LogSettings log_settings(const std::string& format) {
  LogSettings settings = read_log_settings([](const char* name) { return std::getenv(name); });
  settings.json = format == "json";
  return settings;
}

unsigned threads_of(const Options& options) {
  return options.threads > 0 ? options.threads : default_threads();
}

// Enough for full batches of short texts; more would only wait in the engine instead of the queue.
unsigned concurrency_for(unsigned threads) {
  constexpr unsigned kEachThread = 16, kMost = 64;
  return std::min(kMost, kEachThread * threads);
}

// Little memory is shared between the model, large requests that are worked on, which take up to 16
// times their size, and those that wait or are on their way.
void fit_to_memory(WebServerSettings& settings, std::size_t memory) {
  constexpr std::size_t kWorkingShare = 64, kBodiesShare = 16;
  HttpServerSettings& http = settings.http;
  http.max_body_bytes = std::min(http.max_body_bytes, std::uint64_t{memory / kWorkingShare});
  http.max_bodies_bytes = std::min(http.max_bodies_bytes, std::uint64_t{memory / kBodiesShare});
  settings.queue.max_bytes = std::min(settings.queue.max_bytes, memory / kWorkingShare);
}

// Small limits leave no room for that beside the model: said at the start, not by the kernel later.
void check_room_for_requests(const Answerer& answerer, std::size_t memory) {
  constexpr std::size_t kProgram = 8 << 20, kMost = 48 << 20;
  const std::size_t room = kProgram + std::min(memory / 16 * 7, kMost);
  const std::size_t model = answerer.info().own_bytes;
  if (model + room <= memory) return;
  throw ModelError(ErrorCode::kLimitExceeded,
                   "the model takes " + std::to_string(model) +
                       " bytes of memory, requests up to " + std::to_string(room) +
                       ", but this process may have " + std::to_string(memory) +
                       "; give it more, or pack the model as int8 (lambert pack)");
}

// By default glibc takes large blocks from its heaps once one was freed, lets each thread have a
// heap of its own, and keeps what was freed there.
void give_memory_back() {
  ::mallopt(M_ARENA_MAX, 4);
  ::mallopt(M_MMAP_THRESHOLD, 256 << 10);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

int run(ServeCommand command) {
  give_memory_back();
  if (!command.api_keys.empty()) command.settings.api_keys = read_api_keys(command.api_keys);
  command.options.model = model_path(command.options);
  command.settings.service.model_id = model_id(command.options.model);
  fit_to_memory(command.settings, memory_limit());
  command.settings.service.max_body_bytes = command.settings.http.max_body_bytes;
  RequestQueueLimits& queue = command.settings.queue;
  if (queue.threads == 0) queue.threads = concurrency_for(threads_of(command.options));
  command.settings.refusals_per_second *= threads_of(command.options);
  WebServer server(command.settings, Log(log_settings(command.log_format), STDERR_FILENO));
  const auto open = [options = command.options] {
    auto answerer = std::make_unique<const Answerer>(open_model(options));
    check_room_for_requests(*answerer, memory_limit());
    return answerer;
  };
  const auto ready = [&server](const Answerer&) {
    print("lambert: serving on " + server.url() + "\n");
  };
  if (!server.run(open, ready)) std::_Exit(kExitOk);  // the model is still being loaded
  return kExitOk;
}

// Kubernetes and Docker links set LAMBERT_PORT=tcp://10.0.0.1:8080 for a service named "lambert".
void forget_service_link() {
  const char* port = std::getenv("LAMBERT_PORT");
  if (port != nullptr && std::string_view(port).starts_with("tcp://")) ::unsetenv("LAMBERT_PORT");
}

template <typename Set>
void add_number_option(CLI::App& command, const char* name, const char* variable,
                       std::int64_t least, std::int64_t most, const Set& set, const char* help) {
  add_count(
      command, name, least, most, [set](std::int64_t n) { set(n); }, help)
      ->envname(variable)
      ->group("Server");
}

void add_server_options(CLI::App& command, ServeCommand& serve) {
  HttpServerSettings& http = serve.settings.http;
  const auto text = [&](const char* name, const char* variable, std::string& value,
                        const char* type, const char* help) {
    command.add_option(name, value, help)->type_name(type)->envname(variable)->group("Server");
  };
  text("--host", "LAMBERT_HOST", http.host, "ADDRESS",
       "to listen at; 0.0.0.0 or :: for all (127.0.0.1)");
  add_number_option(
      command, "--port", "LAMBERT_PORT", 0, 65535,
      [&http](std::int64_t n) { http.port = static_cast<std::uint16_t>(n); },
      "0: a free one (8080)");
  text("--unix-socket", "LAMBERT_UNIX_SOCKET", http.unix_path, "FILE",
       "listen there instead of at an address");
  text("--api-keys", "LAMBERT_API_KEYS", serve.api_keys, "FILE",
       "one key a line; questions need one of them as Authorization: Bearer");
  text("--cors-origin", "LAMBERT_CORS_ORIGIN", serve.settings.service.cors_origin, "ORIGIN",
       "that pages may ask from; * for any (none)");
  add_number_option(
      command, "--max-queue", "LAMBERT_MAX_QUEUE", 0, 1'000'000,
      [&serve](std::int64_t n) { serve.settings.queue.max_queue = static_cast<std::size_t>(n); },
      "requests that may wait; further ones get 429 (256)");
  add_number_option(
      command, "--max-wait", "LAMBERT_MAX_WAIT", 1, 86'400,
      [&serve](std::int64_t n) { serve.settings.queue.max_wait_s = static_cast<double>(n); },
      "seconds that a request may have to wait, by estimate; else 429 (2)");
  add_number_option(
      command, "--concurrency", "LAMBERT_CONCURRENCY", 0, 1024,
      [&serve](std::int64_t n) { serve.settings.queue.threads = static_cast<unsigned>(n); },
      "requests in the engine at once, computed together; 0: 16 a thread, at most 64 (0)");
  add_number_option(
      command, "--request-timeout", "LAMBERT_REQUEST_TIMEOUT", 1, 86'400,
      [&serve](std::int64_t n) { serve.settings.request_timeout = std::chrono::seconds(n); },
      "seconds for an answer, then 504 (30)");
  add_number_option(
      command, "--max-body", "LAMBERT_MAX_BODY", 1, std::int64_t{1} << 30,
      [&http](std::int64_t n) { http.max_body_bytes = static_cast<std::uint64_t>(n); },
      "bytes of a request (8388608)");
  add_number_option(
      command, "--max-windows", "LAMBERT_MAX_WINDOWS", 1, kNoMost,
      [&serve](std::int64_t n) {
        serve.settings.service.ask.max_windows = static_cast<std::size_t>(n);
      },
      "of a request's texts (1024)");
  add_number_option(
      command, "--max-connections", "LAMBERT_MAX_CONNECTIONS", 1, 1'000'000,
      [&http](std::int64_t n) { http.max_connections = static_cast<std::size_t>(n); },
      "open at once (1024)");
  command.add_option("--log-format", serve.log_format, "of standard error: text or json (text)")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("NAME")
      ->envname("LAMBERT_LOG_FORMAT")
      ->group("Server");
}

}  // namespace

void add_serve(CLI::App& app, Invocation& invocation) {
  forget_service_link();
  auto serve = std::make_shared<ServeCommand>();
  serve->settings.service.cors_origin.clear();
  serve->settings.service.ask.max_windows = 1024;
  serve->settings.queue.threads = 0;
  CLI::App* command = app.add_subcommand("serve", "answer questions over HTTP");
  command->footer(kServeFooter);
  add_server_options(*command, *serve);
  add_model_options(*command, serve->options);
  add_parameter_options(*command, serve->settings.service.ask.defaults);
  command->callback([serve, &invocation] { invocation.run = [serve] { return run(*serve); }; });
}

}  // namespace lambert
