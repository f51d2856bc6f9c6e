// The loop of an AWS Lambda custom runtime: load the model, then ask for an event, answer it, and
// again, until the process is told to stop.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "lambert/lambert.h"
#include "net/clock.h"
#include "serve/lambda_event.h"
#include "serve/log.h"

namespace lambert {

struct RuntimeSettings {
  std::string api;       // AWS_LAMBDA_RUNTIME_API, host:port
  unsigned pollers = 1;  // AWS_LAMBDA_MAX_CONCURRENCY: events that are answered at once
  // Lambda ends a start that takes more than 10 s, and begins anew. When loading takes longer than
  // this, work is asked for all the same and loading goes on within the first invocation.
  std::chrono::milliseconds init_budget{9'000};
  // An answer is given up, with 504, this long before Lambda ends the invocation.
  std::chrono::milliseconds deadline_margin{200};
  EventSettings event;
};

// AWS_LAMBDA_RUNTIME_API, AWS_LAMBDA_MAX_CONCURRENCY and those of read_event_settings.
// `environment` is as std::getenv. Throws kInvalidArgument.
RuntimeSettings read_runtime_settings(const std::function<const char*(const char*)>& environment);

using OpenAnswerer = std::function<std::unique_ptr<const Answerer>()>;

// Why the loop ended.
enum class RuntimeEnd {
  kStopped,     // `stop` was cancelled; what was being answered has been answered
  kInitFailed,  // the model cannot be loaded; Lambda was told
  kApiFailed    // the Runtime API is broken
};

// Tells Lambda that the function cannot start, if it can. The process has to end after it.
void report_init_error(std::string_view api, const Error& error) noexcept;

// Returns when the loop has ended. `open` is called once, in a thread of its own. What happens is
// in the log: never a text, nor what may quote one, but errors of the start in full.
RuntimeEnd run_lambda(const RuntimeSettings& settings, const OpenAnswerer& open, const Log& log,
                      const Cancellation& stop);

}  // namespace lambert
