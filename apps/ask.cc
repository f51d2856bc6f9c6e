// lambert ask: one question over one text.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "commands.h"
#include "eval/line_reader.h"
#include "highlight.h"
#include "model_options.h"
#include "output.h"
#include "receipts.h"
#include "wire/result_line.h"

namespace lambert {

namespace {

constexpr std::size_t kMaxText = std::size_t{64} << 20;

constexpr const char* kAskFooter = R"(Examples:
  lambert ask -c "Ada Lovelace wrote it in 1843." -q "Who wrote it?"
  lambert ask --context-file article.txt --question "Who wrote it?" --top-k 3
  curl -s https://example.org/article.txt | lambert ask -q "Who wrote it?" --json
  lambert ask --context-file article.txt -q "Who wrote it?" --json --receipt > receipt.json

Without --context or --context-file the text is read from standard input. On a terminal the answer
is shown inside its sentence, otherwise as JSON: {"answers":[{"answer","score","start","end"}]}.)";

struct AskOptions {
  Options model;
  Question question;
  std::string context_file, question_file;
  bool receipt = false;
};

std::string read_text(const std::string& path) {
  return LineReader(path, 0).rest(kMaxText);
}

void read_texts(const CLI::App& command, AskOptions& options) {
  if (options.question_file == "-" && command.count("--context") == 0 &&
      (options.context_file.empty() || options.context_file == "-")) {
    fail(ErrorCode::kInvalidArgument,
         "question and context cannot both come from standard input; pass --context-file FILE");
  }
  if (command.count("--question-file") > 0) {
    options.question.question = read_text(options.question_file);
    while (options.question.question.ends_with('\n')) options.question.question.pop_back();
  }
  if (command.count("--context") > 0) return;
  if (command.count("--context-file") == 0 && ::isatty(STDIN_FILENO) == 1) {
    fail(ErrorCode::kInvalidArgument,
         "no text: pass --context TEXT or --context-file FILE, or pipe it in");
  }
  options.question.context =
      read_text(command.count("--context-file") > 0 ? options.context_file : "-");
}

std::string for_people(const Result& result, const std::string& context) {
  if (result.answers.empty()) return "no answer\n";
  const bool colors = colors_wanted();
  std::string text;
  for (const Answer& answer : result.answers) {
    char score[32];
    std::snprintf(score, sizeof score, "%.3f  ", answer.score);
    text += score;
    text += answer.start == answer.end ? "no answer"
                                       : highlight(context, answer.start, answer.end, colors);
    text += '\n';
  }
  return text;
}

int ask(const CLI::App& command, AskOptions options, bool json) {
  read_texts(command, options);
  const Answerer answerer = open_model(options.model);
  if (options.receipt) {
    print(ask_for_receipt(answerer, options.question) + "\n");
    return kExitOk;
  }
  if (json || !output_is_terminal()) {
    print(result_line("", answerer.ask(options.question)) + "\n");
    return kExitOk;
  }
  options.question.parameters.offset_type = OffsetType::kUtf8;
  print(for_people(answerer.ask(options.question), options.question.context));
  return kExitOk;
}

}  // namespace

void add_ask(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<AskOptions>();
  CLI::App* command = app.add_subcommand("ask", "Answers one question from one text");
  command->footer(kAskFooter);
  auto* question = command->add_option("-q,--question", options->question.question, "the question");
  auto* question_file = add_file(*command, "--question-file", options->question_file,
                                 "the question from a file (-: standard input)");
  auto* context = command->add_option("-c,--context", options->question.context, "the text");
  auto* context_file = add_file(*command, "--context-file", options->context_file,
                                "the text from a file (-: standard input)");
  question->excludes(question_file);
  context->excludes(context_file);
  auto* json = command->add_flag("--json", invocation.json, "JSON also on a terminal");
  command
      ->add_flag("--receipt", options->receipt,
                 "with digests of model, input and parameters, for lambert verify")
      ->needs(json);
  add_model_options(*command, options->model);
  add_parameter_options(*command, options->question.parameters);
  command->callback([=, &invocation] {
    if (question->count() + question_file->count() == 0) {
      throw CLI::RequiredError("--question");
    }
    invocation.run = [=, &invocation] { return ask(*command, *options, invocation.json); };
  });
}

}  // namespace lambert
