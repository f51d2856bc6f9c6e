#include "serve/lambda_runtime.h"

#include <poll.h>

#include <atomic>
#include <charconv>
#include <cstring>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "serve/request_error.h"
#include "serve/runtime_client.h"

namespace lambert {

namespace {

using SteadyClock = std::chrono::steady_clock;
using Model = std::shared_future<std::shared_ptr<const Answerer>>;

double milliseconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count();
}

// What a thread failed with, as an Error.
Error error_of(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return {ErrorCode::kLimitExceeded, "not enough memory; give the function more"};
  } catch (const std::exception& error) {
    return {ErrorCode::kInternal, error.what()};
  }
}

// The model on its way. The thread that loads it holds this too: where the runtime has to end
// before that, it ends without waiting.
struct Loading {
  std::promise<std::shared_ptr<const Answerer>> promise;
  Cancellation done;  // its descriptor is readable once the promise is kept

  void load(const OpenAnswerer& open) {
    try {
      promise.set_value(open());
    } catch (...) {
      promise.set_exception(std::current_exception());
    }
    done.cancel();
  }
};

// What all pollers share.
class Runtime {
 public:
  Runtime(const RuntimeSettings& settings, const OpenAnswerer& open, const Log& log,
          const Cancellation& stop)
      : settings_(settings), log_(log), stop_(stop) {
    model_ = loading_->promise.get_future().share();
    std::thread([loading = loading_, open] { loading->load(open); }).detach();
  }

  RuntimeEnd run() {
    switch (real_clock().wait(loading_->done.descriptor(), POLLIN,
                              SteadyClock::now() + settings_.init_budget, &stop_)) {
      case Clock::Wait::kCancelled: return RuntimeEnd::kStopped;
      case Clock::Wait::kTimeout:
        log_.write(LogLevel::kWarn, "still loading the model: asking for work meanwhile");
        break;
      case Clock::Wait::kReady:
        if (const std::optional<Error> error = load_error()) {
          report_failed_init(*error);
          return RuntimeEnd::kInitFailed;
        }
        log_loaded(model_.get()->info());
        break;
    }
    std::vector<std::thread> others;
    for (unsigned i = 1; i < settings_.pollers; ++i) others.emplace_back([this] { poll(); });
    poll();
    for (std::thread& other : others) other.join();
    return end_;
  }

 private:
  std::optional<Error> load_error() const {
    try {
      model_.get();
      return std::nullopt;
    } catch (...) {
      return error_of(std::current_exception());
    }
  }

  void log_loaded(const ModelInfo& info) const {
    const LogField fields[] = {{"model_type", std::string_view(info.model_type)},
                               {"parameters", info.parameters},
                               {"isa", std::string_view(info.isa)},
                               {"threads", std::size_t{info.threads}},
                               {"load_ms", info.load_ms}};
    log_.write(LogLevel::kInfo, "model loaded", fields);
  }

  void report_failed_init(const Error& error) const {
    const std::string_view type = error_type(error, true);
    const LogField fields[] = {{"error_type", type}, {"error", std::string_view(error.what())}};
    log_.write(LogLevel::kFatal, "the model cannot be loaded", fields);
    report_init_error(settings_.api, error);
  }

  // One poller: until stopped, or one of them finds the Runtime API broken.
  void poll() {
    try {
      RuntimeClient client(settings_.api, Waiting{.cancel = &stop_});
      while (!stop_.cancelled() && !ended_) answer(client, client.next());
    } catch (const std::exception&) {
      const Error error = error_of(std::current_exception());
      if (error.code() == ErrorCode::kCancelled) return;
      const LogField fields[] = {{"error", std::string_view(error.what())}};
      log_.write(LogLevel::kFatal, "the runtime ends", fields);
      end(RuntimeEnd::kApiFailed);
    }
  }

  void end(RuntimeEnd why) {
    if (!ended_.exchange(true)) end_ = why;
    stop_.cancel();  // wakes the other pollers
  }

  // The invocation's deadline less the margin, on the clock that does not jump. Lambda's is wall
  // time: an environment may have been frozen since any earlier moment.
  SteadyClock::time_point deadline_of(const Invocation& invocation) const {
    if (!invocation.deadline) return SteadyClock::time_point::max();
    const auto left = *invocation.deadline - std::chrono::system_clock::now();
    const auto now = SteadyClock::now();
    const auto most = SteadyClock::time_point::max() - now;
    if (left >= most) return SteadyClock::time_point::max();
    return now + std::chrono::duration_cast<SteadyClock::duration>(left) -
           settings_.deadline_margin;
  }

  void answer(RuntimeClient& client, const Invocation& invocation) {
    const auto begin = SteadyClock::now();
    RequestLog line;
    line.request_id = invocation.id;
    line.trace_id = invocation.trace_id;
    line.cold_start = !warm_.exchange(true);
    line.event_bytes = invocation.event.size();
    std::optional<Error> failure;
    try {
      post_result(client, invocation, line);
    } catch (const RuntimeApiError&) {
      throw;
    } catch (...) {
      failure = error_of(std::current_exception());
    }
    if (failure) post_failure(client, invocation, *failure, line);
    line.total_ms = milliseconds_since(begin);
    log_.request(line);
    if (failure && model_failed()) end(RuntimeEnd::kInitFailed);
  }

  // In a thread of its own, so that the invocation is answered in time even when computing its
  // windows is not: the engine looks at the deadline between batches only.
  void post_result(RuntimeClient& client, const Invocation& invocation, RequestLog& line) {
    const EventContext context{.deadline = deadline_of(invocation)};
    auto work = std::async(std::launch::async, [&] { return result_of(invocation, context); });
    EventResult result;
    if (context.deadline == SteadyClock::time_point::max() ||
        work.wait_until(context.deadline) == std::future_status::ready) {
      result = work.get();
    } else {
      result = refuse_event(invocation.event, too_slow_, settings_.event);
    }
    line.shape = result.shape;
    line.status = result.status;
    line.error = result.error;
    line.failed_records = result.failed_records;
    line.stats = result.stats;
    line.reply_bytes = result.json.size();
    note(client.post_response(invocation.id, result.json), invocation);
  }

  void post_failure(RuntimeClient& client, const Invocation& invocation, const Error& error,
                    RequestLog& line) {
    const bool init = model_failed();
    line.status = http_status(error);
    line.error = error.code();
    if (init) report_late_init(error);
    note(client.post_error(invocation.id, error, error_type(error, init)), invocation);
  }

  void report_late_init(const Error& error) const {
    const LogField fields[] = {{"error", std::string_view(error.what())}};
    log_.write(LogLevel::kFatal, "the model cannot be loaded", fields);
  }

  void note(Posted posted, const Invocation& invocation) const {
    if (posted == Posted::kAccepted) return;
    const LogField fields[] = {{"requestId", std::string_view(invocation.id)}};
    log_.write(LogLevel::kError,
               posted == Posted::kTooLarge ? "Lambda refused the result: it is too large"
                                           : "Lambda did not take the result",
               fields);
  }

  EventResult result_of(const Invocation& invocation, const EventContext& context) const {
    if (context.deadline != SteadyClock::time_point::max() &&
        model_.wait_until(context.deadline) != std::future_status::ready) {
      return refuse_event(invocation.event, still_loading_, settings_.event);
    }
    return handle_event(invocation.event, context, *model_.get(), settings_.event);
  }

  bool model_failed() const {
    return model_.wait_for(std::chrono::seconds(0)) == std::future_status::ready &&
           load_error().has_value();
  }

  const Error too_slow_{ErrorCode::kDeadlineExceeded,
                        "the time of the invocation does not suffice; give the function more time "
                        "or memory, or ask over a shorter text"};
  const Error still_loading_{ErrorCode::kDeadlineExceeded,
                             "the model is still being loaded; ask again"};
  const RuntimeSettings& settings_;
  const Log& log_;
  const Cancellation& stop_;
  const std::shared_ptr<Loading> loading_ = std::make_shared<Loading>();
  Model model_;
  std::atomic<bool> warm_{false}, ended_{false};
  RuntimeEnd end_ = RuntimeEnd::kStopped;
};

}  // namespace

RuntimeSettings read_runtime_settings(const std::function<const char*(const char*)>& environment) {
  RuntimeSettings settings;
  settings.event = read_event_settings(environment);
  if (const char* api = environment("AWS_LAMBDA_RUNTIME_API")) settings.api = api;
  if (const char* pollers = environment("AWS_LAMBDA_MAX_CONCURRENCY")) {
    constexpr unsigned kMost = 1'000;
    const char* const end = pollers + std::strlen(pollers);
    const auto [stop, error] = std::from_chars(pollers, end, settings.pollers);
    if (error != std::errc() || stop != end || settings.pollers < 1 || settings.pollers > kMost) {
      fail(ErrorCode::kInvalidArgument, "AWS_LAMBDA_MAX_CONCURRENCY: must be 1 to ", kMost,
           ", found ", quote(pollers));
    }
  }
  return settings;
}

void report_init_error(std::string_view api, const Error& error) noexcept {
  try {
    RuntimeClient(api, Waiting{}).post_init_error(error, error_type(error, true));
  } catch (...) {  // Lambda sees the exit code
  }
}

RuntimeEnd run_lambda(const RuntimeSettings& settings, const OpenAnswerer& open, const Log& log,
                      const Cancellation& stop) {
  return Runtime(settings, open, log, stop).run();
}

}  // namespace lambert
