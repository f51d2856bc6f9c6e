// lambert logits: what the model computes for every token, for comparison with other engines.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "model_options.h"
#include "output.h"
#include "wire/json_writer.h"

namespace lambert {

namespace {

constexpr const char* kLogitsFooter = R"(Example:
  lambert logits --json --question "Who wrote it?" --context "Ada Lovelace wrote it in 1843."

One object a window; context_start and context_end are the rows of the context's tokens. The numbers
read back as the same floats.)";

struct LogitsOptions {
  Options model;
  Question question;
};

void append_floats(std::string& json, const char* name, const std::vector<float>& values) {
  json += "\"" + std::string(name) + "\":[";
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) json += ',';
    append_json_number(json, values[i]);
  }
  json += "],";
}

int logits(const LogitsOptions& options) {
  const Answerer answerer = open_model(options.model);
  std::string json = "[";
  for (const WindowLogits& window : answerer.logits(options.question)) {
    json += json.size() == 1 ? "{" : ",{";
    append_floats(json, "start", window.start);
    append_floats(json, "end", window.end);
    json += "\"context_start\":" + std::to_string(window.context_start);
    json += ",\"context_end\":" + std::to_string(window.context_end) + '}';
  }
  print(json + "]\n");
  return kExitOk;
}

}  // namespace

void add_logits(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<LogitsOptions>();
  CLI::App* command = app.add_subcommand("logits", "Prints start and end logits as JSON");
  command->group("");  // not in the list of commands
  command->footer(kLogitsFooter);
  command->add_option("-q,--question", options->question.question, "the question")->required();
  command->add_option("-c,--context", options->question.context, "the text")->required();
  command->add_flag("--json", invocation.json, "JSON, which it is anyway");
  add_model_options(*command, options->model);
  add_parameter_options(*command, options->question.parameters);
  command->callback(
      [options, &invocation] { invocation.run = [options] { return logits(*options); }; });
}

}  // namespace lambert
