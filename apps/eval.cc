// lambert eval: the official SQuAD figures of a model.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <memory>
#include <optional>

#include "base/error.h"
#include "commands.h"
#include "eval/line_reader.h"
#include "eval/output_file.h"
#include "eval/squad_eval.h"
#include "eval/squad_json.h"
#include "eval_report.h"
#include "model_options.h"
#include "output.h"
#include "progress.h"
#include "wire/json_writer.h"

namespace lambert {

namespace {

constexpr const char* kEvalFooter = R"(Examples:
  lambert eval dev-v1.1.json
  lambert eval dev-v2.0.json --json --predictions predictions.json
  xz -dc dev-v1.1.json.xz | lambert eval - --limit 500

The figures are those of the official SQuAD v1.1 and v2.0 scripts, in percent, with 95 % confidence
intervals of a bootstrap over questions (1,000 resamples, fixed seed). A v2.0 file implies
--handle-impossible-answer. no_answer_* tell how well unanswerable questions are recognised.)";

struct EvalOptions {
  Options model;
  Parameters parameters;
  std::string file, predictions;
  std::size_t limit = std::numeric_limits<std::size_t>::max();
};

void write_predictions(OutputFile& file, const SquadData& data,
                       const std::vector<std::string>& answers) {
  std::string text = "{";
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const std::string& id = data.questions[i].id;
    text += i == 0 ? "" : ", ";
    text += id.starts_with('"') ? id : '"' + id + '"';
    text += ": ";
    append_json_string(text, answers[i]);
  }
  file.append(text + "}");
  file.finish();
}

void check_predictions(const EvalOptions& options) {
  if (open_descriptor(options.predictions) == STDOUT_FILENO) {
    fail(ErrorCode::kInvalidArgument, "--predictions: must be a file of its own, found ",
         quote(options.predictions), "; standard output has the figures");
  }
  check_not_input(options.file, options.predictions, "--predictions");
}

int eval(EvalOptions options, bool json) {
  if (!options.predictions.empty()) check_predictions(options);
  LineReader input(options.file, 0);
  SquadData data = parse_squad(input.rest(std::size_t{1} << 30), input.name());
  data.questions.resize(std::min(options.limit, data.questions.size()));
  if (data.questions.empty()) fail(ErrorCode::kInvalidInput, input.name(), ": has no questions");
  if (data.v2) options.parameters.handle_impossible_answer = true;
  std::optional<OutputFile> predictions;  // before the work, as it may be impossible
  if (!options.predictions.empty()) {
    predictions.emplace(options.predictions, Partial::kTemporary);
  }
  const Answerer answerer = open_model(options.model);
  answerer.check(options.parameters);  // else every question would count as failed
  const double total = static_cast<double>(data.questions.size());
  SquadAnswers answered;
  double seconds = 0;
  {
    Progress progress(true);
    answered = answer_squad(
        data, options.parameters, answerer_submit(answerer),
        [&](std::size_t done) { progress.show(done, done, 0, static_cast<double>(done) / total); });
    seconds = progress.seconds();
  }
  if (predictions) write_predictions(*predictions, data, answered.answers);
  const Evaluation evaluation = evaluate(data, answered.answers);
  print(json ? evaluation_json(data, evaluation, answered.errors, seconds)
             : evaluation_text(data, evaluation, seconds));
  if (answered.errors == 0) return kExitOk;
  print_error(std::to_string(answered.errors) +
              " questions failed and count as answered with \"\"; " +
              "the first: " + answered.first_error);
  return kExitPartial;
}

}  // namespace

void add_eval(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* command = app.add_subcommand("eval", "Measures a model on SQuAD v1.1 or v2.0 JSON");
  command->footer(kEvalFooter);
  add_file(*command, "file", options->file, "SQuAD JSON (-: standard input)")->required();
  add_file(*command, "--predictions", options->predictions, "write {id: answer} to this file");
  add_count(
      *command, "--limit", 1, kNoMost,
      [options = options.get()](std::int64_t n) { options->limit = static_cast<std::size_t>(n); },
      "only the first N questions");
  command->add_flag("--json", invocation.json, "the figures as JSON");
  add_model_options(*command, options->model);
  add_parameter_options(*command, options->parameters);
  command->callback([options, &invocation] {
    invocation.run = [options, &invocation] { return eval(*options, invocation.json); };
  });
}

}  // namespace lambert
