// lambert: the command line.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "eval/output_file.h"
#include "lambda.h"
#include "output.h"
#include "standard_streams.h"
#include "wire/result_line.h"

namespace lambert {
namespace {

constexpr const char* kFooter = R"(Examples:
  lambert ask --context "Ada Lovelace wrote it in 1843." --question "Who wrote it?"
  lambert batch --input questions.jsonl --output answers.jsonl
  lambert eval dev-v1.1.json

Options go before environment variables (LAMBERT_MODEL, LAMBERT_THREADS, LAMBERT_PRECISION,
LAMBERT_ISA, LAMBERT_CONFIG_DIR, ...), those before defaults. Results go to standard output,
everything else to standard error.

Exit codes: 0 done; 1 failed; 2 wrong usage; 3 model missing, damaged or not supported; 4 network;
5 a receipt does not hold; 6 some questions of many failed; 130 interrupted; 141 the reader of the
output left; 143 ended by SIGTERM.)";

int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  std::string command = "lambert";
  for (const CLI::App* chosen : app.get_subcommands()) command += " " + chosen->get_name();
  print_error(std::string(error.what()) + " (see " + command + " --help)");
  return kExitUsage;
}

int report(const Error& error, bool json) {
  print_error(error.what());
  try {
    if (json) print(error_line("", error) + "\n");
  } catch (const Error&) {  // one error is reported, the first
  }
  return exit_code(error);
}

bool takes_value(const CLI::App& command, const std::string& name) {
  const CLI::Option* option = command.get_option_no_throw(name);
  return option != nullptr && option->get_items_expected_min() > 0;
}

// CLI11 takes the next argument for the value of "--name=": an empty value becomes one of its own,
// unless "--name=" is itself the value of the option before it.
std::vector<std::string> split_empty_values(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc), split;
  const auto commands = app.get_subcommands([&](const CLI::App* command) {
    return !arguments.empty() && command->check_name(arguments.front());
  });
  const CLI::App& command = commands.empty() ? app : *commands.front();
  bool is_value = false;
  for (auto argument = arguments.begin(); argument != arguments.end(); ++argument) {
    if (!is_value && *argument == "--") {  // what follows are no options
      split.insert(split.end(), argument, arguments.end());
      break;
    }
    const std::string name = argument->substr(0, argument->size() - argument->ends_with('='));
    if (!is_value && name != *argument && takes_value(command, name)) {
      split.insert(split.end(), {name, ""});
    } else {
      is_value = !is_value && takes_value(command, *argument);
      split.push_back(*argument);
    }
  }
  return split;
}

int run(int argc, char** argv) {
  CLI::App app("Answers questions from text.", "lambert");
  Invocation invocation;
  app.footer(kFooter);
  app.set_version_flag("--version", "lambert " LAMBERT_VERSION);
  app.get_formatter()->column_width(34);
  app.option_defaults()->take_last();
  add_ask(app, invocation);
  add_batch(app, invocation);
  add_serve(app, invocation);
  add_eval(app, invocation);
  add_tokenize(app, invocation);
  add_logits(app, invocation);
  add_archive(app, invocation);
  add_pack(app, invocation);
  add_package(app, invocation);
  add_pull(app, invocation);
  add_push(app, invocation);
  add_inspect(app, invocation);
  add_verify(app, invocation);
  add_doctor(app, invocation);
  add_version(app, invocation);
  try {
    try {
      std::vector<std::string> arguments = split_empty_values(app, argc, argv);
      std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants a vector
      app.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
      print(app.help());  // of the command, where one was given
      return kExitOk;
    } catch (const CLI::CallForVersion& version) {
      print(std::string(version.what()) + "\n");
      return kExitOk;
    } catch (const CLI::ParseError& error) {
      return usage_error(app, error);
    }
    if (invocation.run) return invocation.run();
    print(app.help());
    return kExitUsage;
  } catch (const BrokenPipe&) {
    return end_of_broken_pipe();  // `lambert ... | head -1` ends quietly
  } catch (const Error& error) {
    return report(error, invocation.json);
  } catch (const std::bad_alloc&) {
    return report(Error(ErrorCode::kLimitExceeded, "not enough memory"), invocation.json);
  } catch (const std::exception& error) {
    return report(Error(ErrorCode::kInternal, error.what()), invocation.json);
  }
}

}  // namespace
}  // namespace lambert

int main(int argc, char** argv) {
  if (!lambert::open_standard_streams()) return lambert::kExitFailure;
  lambert::set_signals();
  if (lambert::is_lambda(argc, argv)) return lambert::run_as_lambda();
  try {
    return lambert::run(argc, argv);
  } catch (const std::exception& error) {  // too little memory even for a report
    lambert::print_error(error.what());
    return lambert::kExitFailure;
  }
}
