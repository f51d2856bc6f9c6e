// lambert pack: a model as one file that is mapped and answers at once.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "commands.h"
#include "model_options.h"
#include "output.h"
#include "progress.h"
#include "transfer.h"

namespace lambert {

namespace {

constexpr const char* kPackFooter = R"(Examples:
  lambert pack models/squad -o squad.lambert --precision int8
  lambert ask --model squad.lambert --context "It rained." --question "What happened?"
  lambert pack models/squad -o squad.lambert --calibration train.jsonl
  lambert inspect squad.lambert --verify

The file holds configuration, tokenizer and weights in the form in which they are used. Opening it
reads none of it: what a question needs is paged in, and processes share it. It takes the place of
MODEL wherever one is named; a directory or archive may hold it as model.lambert. The same model,
precision and version give the same bytes, for every CPU.

With --calibration the weights in int8 are rounded so that answers to questions like those in the
file stay nearest to fp32's; some thirty, typical ones, do. It takes seconds to minutes.)";

struct PackCommand {
  Options model;
  std::string given, output;  // given: LAMBERT_MODEL must not replace it
  std::string calibration;
  bool force = false;
};

int pack(PackCommand command) {
  if (command.output == "-") {
    fail(ErrorCode::kInvalidArgument, "--output -: a packed model has to be a file, to be mapped");
  }
  std::error_code ignored;
  if (!command.force && std::filesystem::exists(command.output, ignored)) {
    fail(ErrorCode::kInvalidArgument, command.output,
         ": is already there; pass --force to replace it");
  }
  read_calibration(command.calibration, command.model);
  Progress progress(true);
  if (!command.calibration.empty()) progress.show_step("calibrating ...");
  const Answerer answerer = open_model(command.model);
  answerer.pack(command.output,
                [&](std::uint64_t done, std::uint64_t all) { progress.show_bytes(done, all); });
  const std::size_t bytes = std::filesystem::file_size(command.output);
  print_error(command.output + ": " + answerer.info().precision + ", " + size_text(bytes));
  return kExitOk;
}

}  // namespace

void add_pack(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<PackCommand>();
  CLI::App* command = app.add_subcommand("pack", "Packs a model as one file that opens at once");
  command->footer(kPackFooter);
  auto* model = command->add_option("model", options->given, "the same as --model");
  model->type_name("MODEL");
  add_file(*command, "-o,--output", options->output, "the packed model")->required();
  add_calibration_option(*command, options->calibration);
  command->add_flag("--force", options->force, "replace a file that is there");
  add_model_options(*command, options->model);
  command->callback([=, &invocation] {
    if (model->count() > 0) options->model.model = options->given;
    invocation.run = [options] { return pack(*options); };
  });
}

}  // namespace lambert
