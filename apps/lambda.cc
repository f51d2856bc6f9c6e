#include "lambda.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "model_options.h"
#include "output.h"
#include "serve/lambda_runtime.h"

namespace lambert {

namespace {

constexpr const char* kApi = "AWS_LAMBDA_RUNTIME_API";

const Cancellation* stop_signal = nullptr;  // set before the handler is

void handle_stop(int) {
  stop_signal->cancel();
}

const char* environment(const char* name) {
  return std::getenv(name);
}

// A message that begins with the name of an option begins with its environment variable instead.
std::string with_variable_name(const CLI::App& app, const std::string& message) {
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_name() + ":";
    if (message.starts_with(name)) return option->get_envname() + message.substr(name.size() - 1);
  }
  return message;
}

// As the options of the command line, whose environment variables they share; without LAMBERT_MODEL
// the model is in the package, and configuration and tokenizer are in its directory model/.
Options model_options() {
  CLI::App app;
  Options options;
  add_model_options(app, options);
  try {
    app.parse(std::vector<std::string>{});
  } catch (const CLI::Error& error) {
    fail(ErrorCode::kInvalidArgument, with_variable_name(app, error.what()));
  }
  if (options.config_dir.empty() && !options.model.empty()) options.config_dir = package_model();
  return options;
}

int serve(const RuntimeSettings& settings, const Log& log) {
  static const Cancellation stop;
  stop_signal = &stop;
  struct sigaction action {};
  action.sa_handler = handle_stop;
  for (const int signal : {SIGTERM, SIGINT}) ::sigaction(signal, &action, nullptr);

  const auto open = [options = model_options()] {
    return std::make_unique<const Answerer>(open_model(options));
  };
  switch (run_lambda(settings, open, log, stop)) {
    case RuntimeEnd::kStopped: return kExitOk;
    case RuntimeEnd::kInitFailed: return kExitModel;
    case RuntimeEnd::kApiFailed: break;
  }
  return kExitFailure;
}

}  // namespace

bool is_lambda(int argc, const char* const* argv) {
  if (std::getenv(kApi) == nullptr) return false;
  return argc <= 1 || std::filesystem::path(argv[0]).filename() == "bootstrap";
}

int run_as_lambda() {
  int code = kExitFailure;
  try {
    const Log log(read_log_settings(environment), STDOUT_FILENO);
    code = serve(read_runtime_settings(environment), log);
  } catch (const Error& error) {
    print_error(error.what());
    report_init_error(std::getenv(kApi), error);
  } catch (const std::exception& error) {
    print_error(error.what());
  }
  std::_Exit(code);  // a model that is still being loaded does not hold up the end
}

}  // namespace lambert
