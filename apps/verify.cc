// lambert verify: whether a receipt holds.
#include <CLI/CLI.hpp>
#include <memory>

#include "base/error.h"
#include "commands.h"
#include "eval/line_reader.h"
#include "model_options.h"
#include "output.h"
#include "receipts.h"

namespace lambert {

namespace {

constexpr std::size_t kMaxReceipt = std::size_t{256} << 20;

constexpr const char* kVerifyFooter = R"(Examples:
  lambert ask -c "Ada wrote it." -q "Who wrote it?" --json --receipt > receipt.json
  lambert verify receipt.json
  lambert verify receipt.json --model s3://models/squad.lambert
  lambert verify shared.json --question "Who wrote it?" --context-file article.txt

Asks the question again and compares digests and answers bit for bit; the model is named here, never
by the receipt, and its precision is the receipt's unless --precision is given. Question and context
may have been taken out of the receipt's "replay"; then they are given here.
Exit code 0: all is the same; 5: something differs.)";

struct VerifyOptions {
  Options model;
  std::string receipt, question, context, context_file;
};

// One thing that is compared.
struct Check {
  const char* name;
  bool same;
  std::string found, expected;  // what to show where they differ
};

Question question_of(const ReceiptLine& line, const VerifyOptions& options,
                     const CLI::App& command) {
  const bool has_context = command.count("--context") + command.count("--context-file") > 0;
  const bool has_question = command.count("--question") > 0;
  if ((!line.question && !has_question) || (!line.context && !has_context)) {
    fail(ErrorCode::kInvalidInput, options.receipt, ": the receipt has no ",
         line.question || has_question ? "context; pass --context TEXT or --context-file FILE"
                                       : "question; pass --question TEXT");
  }
  Question question{.question = has_question ? options.question : *line.question,
                    .parameters = line.parameters};
  if (command.count("--context-file") > 0) {
    question.context = LineReader(options.context_file, 0).rest(kMaxReceipt);
  } else {
    question.context = has_context ? options.context : *line.context;
  }
  return question;
}

std::vector<Check> compare(const ReceiptLine& line, const Receipt& now, const Result& result) {
  const Receipt& then = line.receipt;
  const bool answers = then.answers == now.answers && same_answers(result.answers, line.answers);
  return {{"model", then.model == now.model, now.model, then.model},
          {"precision", then.precision == now.precision, now.precision, then.precision},
          {"input", then.input == now.input, now.input, then.input},
          {"parameters", then.parameters == now.parameters, now.parameters, then.parameters},
          {"answers", answers, now.answers, then.answers}};
}

std::string as_json(const std::vector<Check>& checks, bool verified, bool engine) {
  std::string text = std::string("{\"verified\":") + (verified ? "true" : "false");
  for (const Check& check : checks) {
    text += std::string(",\"") + check.name + "\":" + (check.same ? "true" : "false");
  }
  return text + ",\"engine\":" + (engine ? "true" : "false") + "}\n";
}

std::string difference(const std::string& found, const std::string& expected) {
  if (found == expected) return "differs from what its digest is of\n";
  return "differs: " + found + ", in the receipt " + for_terminal(expected) + "\n";
}

std::string for_people(const std::vector<Check>& checks, const Receipt& then, const Receipt& now) {
  std::string text;
  for (const Check& check : checks) {
    text += std::string(check.name) + ": ";
    text += check.same ? "same\n" : difference(check.found, check.expected);
  }
  const bool same = then.engine == now.engine;
  return text + "engine: " + (same ? "same\n" : difference(now.engine, then.engine));
}

int verify(const CLI::App& command, VerifyOptions options, bool json) {
  const std::string text = LineReader(options.receipt, 0).rest(kMaxReceipt);
  const std::string source = options.receipt == "-" ? "standard input" : options.receipt;
  const ReceiptLine line = read_receipt_line(text, source);
  const Question question = question_of(line, options, command);
  if (command.count("--precision") == 0 && options.model.precision == "auto") {
    options.model.precision = line.receipt.precision;
  }
  const Answerer answerer = open_model(options.model);
  const Result result = answerer.ask(question);
  const Receipt now = receipt_of(answerer, question, result);
  const std::vector<Check> checks = compare(line, now, result);
  const bool verified = std::all_of(checks.begin(), checks.end(), [](auto& c) { return c.same; });
  print(json ? as_json(checks, verified, line.receipt.engine == now.engine)
             : for_people(checks, line.receipt, now));
  return verified ? kExitOk : kExitDiffers;
}

}  // namespace

void add_verify(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* command = app.add_subcommand("verify", "Whether the receipt of an answer holds");
  command->footer(kVerifyFooter);
  add_file(*command, "receipt", options->receipt,
           "what ask --json --receipt wrote (-: standard input)")
      ->required();
  command->add_option("-q,--question", options->question, "instead of the receipt's");
  auto* context = command->add_option("-c,--context", options->context, "instead of the receipt's");
  add_file(*command, "--context-file", options->context_file, "the context from a file")
      ->excludes(context);
  command->add_flag("--json", invocation.json, "one line of JSON");
  add_model_options(*command, options->model);
  command->callback([=, &invocation] {
    invocation.run = [=, &invocation] { return verify(*command, *options, invocation.json); };
  });
}

}  // namespace lambert
