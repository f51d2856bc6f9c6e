// lambert archive: a model directory as one .tar.gz, as functions load it from S3.
#include <CLI/CLI.hpp>
#include <memory>
#include <vector>

#include "base/error.h"
#include "checkpoint/archive_members.h"
#include "checkpoint/archive_writer.h"
#include "commands.h"
#include "model_options.h"
#include "output.h"
#include "store/file_set.h"
#include "store/model_files.h"
#include "transfer.h"

namespace lambert {

namespace {

constexpr const char* kArchiveFooter = R"(Examples:
  lambert archive models/squad -o squad-distilbert.tar.gz
  lambert archive models/squad -o - | aws s3 cp - s3://bucket/squad-distilbert.tar.gz

Takes the files of a model: configuration, tokenizer and weights, not what training left beside
them. Weights alone are a valid archive too: the rest can stand beside the function
(LAMBERT_CONFIG_DIR). The same files give the same bytes.)";

struct ArchiveCommand {
  std::string directory, output;
  int level = 1;  // weights of fp32 shrink by 8 % at any
  bool force = false;
};

int archive(const ArchiveCommand& command) {
  if (!is_model_directory(command.directory)) {
    fail(ErrorCode::kInvalidArgument, command.directory, ": is not a directory");
  }
  FileSet files = FileSet::of_directory(command.directory);
  std::vector<MappedFile> opened;
  std::vector<ArchiveFile> members;
  bool has_weights = false;
  for (const std::string& name : files.names()) {
    const MemberKind kind = member_kind(name);
    if (kind == MemberKind::kUnrelated) continue;
    has_weights = has_weights || kind == MemberKind::kWeights;
    opened.push_back(files.open(name).file);
    members.push_back({name, opened.back().bytes()});
  }
  if (!has_weights) {
    fail(ErrorCode::kNotFound, command.directory,
         ": has no weights (model.safetensors, pytorch_model.bin, ...); ", listing(files));
  }
  const std::size_t count = members.size();
  const std::size_t bytes = write_output(
      command.output, command.force, 0,
      [&](const ByteSink& sink) { write_archive(std::move(members), command.level, sink); });
  print_error(command.output + ": " + std::to_string(count) + " files, " + size_text(bytes));
  return kExitOk;
}

}  // namespace

void add_archive(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ArchiveCommand>();
  CLI::App* command = app.add_subcommand("archive", "Packs a model directory as .tar.gz");
  command->footer(kArchiveFooter);
  command->add_option("model_directory", options->directory, "with the model's files")
      ->type_name("DIR")
      ->required();
  add_file(*command, "-o,--output", options->output, "the archive (-: standard output)")
      ->required();
  add_count(
      *command, "--level", 0, 9,
      [options = options.get()](std::int64_t n) { options->level = static_cast<int>(n); },
      "of gzip: 0 stores, 9 takes longest (1)");
  command->add_flag("--force", options->force, "replace a file that is there");
  command->callback(
      [options, &invocation] { invocation.run = [options] { return archive(*options); }; });
}

}  // namespace lambert
