// lambert batch: a file of questions.
#include "eval/batch.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "commands.h"
#include "model_options.h"
#include "output.h"
#include "progress.h"

namespace lambert {

namespace {

constexpr const char* kBatchFooter = R"(Examples:
  lambert batch --input questions.jsonl --output answers.jsonl
  lambert batch --input questions.jsonl --output answers.jsonl --resume
  zcat questions.jsonl.gz | lambert batch --top-k 3 > answers.jsonl

A line is {"id":...,"question":...,"context":...}; it may have the fields top_k, doc_stride,
max_seq_len, max_answer_len, max_question_len, handle_impossible_answer, align_to_words, mode,
n_best_size, null_score_diff_threshold, score_threshold and offset_type, which go before the options.
Without an id the number of the line is the id. SQuAD JSON is read too. A result is
{"id":...,"answers":[{"answer","score","start","end"},...]} or {"id":...,"error":{"code","message"}},
in the order of the input; exit code 6 tells of errors.

Results are collected in OUTPUT.partial, which is renamed when all are there. After an interruption
--resume goes on behind the last whole line.)";

struct BatchCommand {
  Options model;
  BatchOptions batch;
  bool quiet = false;
};

std::string summary(const BatchProgress& progress, double seconds) {
  const std::size_t fresh = progress.done - progress.resumed;
  char rate[48];
  std::snprintf(rate, sizeof rate, "%.1f", static_cast<double>(fresh) / seconds);
  std::string text = std::to_string(progress.done) + " questions";
  if (progress.resumed > 0) text += ", " + std::to_string(progress.resumed) + " of them before";
  text += ", " + std::to_string(progress.failed) + " failed, " + duration_text(seconds) + ", " +
          rate + " questions/s";
  return text;
}

int batch(BatchCommand command) {
  const Answerer answerer = open_model(command.model);
  answerer.check(command.batch.defaults);  // else every line would become an error record
  BatchProgress result;
  double seconds = 0;
  {
    Progress progress(!command.quiet);
    command.batch.progress = [&](const BatchProgress& now) {
      progress.show(now.done, now.done - now.resumed, now.failed, now.fraction);
    };
    result = run_batch(command.batch, answerer_submit(answerer));
    seconds = progress.seconds();
  }
  if (!command.quiet) print_error(summary(result, seconds));
  return result.failed > 0 ? kExitPartial : kExitOk;
}

}  // namespace

void add_batch(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<BatchCommand>();
  CLI::App* command = app.add_subcommand("batch", "Answers a file of questions");
  command->footer(kBatchFooter);
  add_file(*command, "-i,--input", options->batch.input,
           "JSON Lines or SQuAD JSON (-: standard input)");
  add_file(*command, "-o,--output", options->batch.output, "JSON Lines (-: standard output)");
  command->add_flag("--resume", options->batch.resume, "go on with OUTPUT.partial");
  command->add_flag("-q,--quiet", options->quiet, "no progress and no summary");
  add_count(
      *command, "--max-line-bytes", 1, kNoMost,
      [options = options.get()](std::int64_t n) {
        options->batch.max_line_bytes = static_cast<std::size_t>(n);
      },
      "longer lines become errors (67108864)");
  add_model_options(*command, options->model);
  add_parameter_options(*command, options->batch.defaults);
  command->callback(
      [options, &invocation] { invocation.run = [options] { return batch(*options); }; });
}

}  // namespace lambert
