// lambert package: the program packs itself as the zip of an AWS Lambda function.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "checkpoint/archive_members.h"
#include "checkpoint/zip_writer.h"
#include "commands.h"
#include "model_options.h"
#include "output.h"
#include "progress.h"
#include "qa/model_source.h"
#include "transfer.h"

namespace lambert {

namespace {

constexpr const char* kPackageFooter = R"(Examples:
  lambert package -o function.zip                       the model comes from LAMBERT_MODEL
  lambert package --model models/squad -o function.zip  the model is inside
  lambert package --model models/squad --precision int8 -o function.zip  packed: the fastest start
  lambert package --config-dir model -o function.zip    configuration and tokenizer are inside

The zip is what Lambda takes for the runtimes provided.al2023 and provided.al2: this program as
`bootstrap` and, with --model, the model as `model/`: its files or, with --precision, what
lambert pack makes of them. With --config-dir alone its configuration and
tokenizer are, for weights in S3 that come without. The same files and program give the same
bytes.)";

constexpr std::size_t kMostUnzipped = 262'144'000;  // Lambda's limit, layers included

struct PackageCommand {
  Options model;
  std::string output, calibration;
  bool force = false;
};

void check_size(const std::vector<ZipFile>& files) {
  std::size_t bytes = 0;
  for (const ZipFile& file : files) bytes += file.content.size();
  if (bytes <= kMostUnzipped) return;
  fail(
      ErrorCode::kLimitExceeded, "the function would have ", bytes,
      " bytes unzipped, and Lambda takes at most ", kMostUnzipped,
      "; leave the model out and set LAMBERT_MODEL to where it is in S3, or use a container image");
}

// Configuration and tokenizer, without weights.
std::vector<NamedFile> small_files(const std::string& directory) {
  if (!is_model_directory(directory)) {
    fail(ErrorCode::kInvalidArgument, directory, ": is not a directory");
  }
  FileSet found = FileSet::of_directory(directory);
  if (!found.contains("config.json")) {
    fail(ErrorCode::kNotFound, directory, ": has no config.json; ", listing(found));
  }
  std::vector<NamedFile> files;
  for (const std::string& name : found.names()) {
    const bool is_text = member_kind(name) == MemberKind::kText;
    if (is_text && !name.ends_with(".index.json")) files.push_back(found.open(name));
  }
  return files;
}

// A file that is needed on the way only.
class Scratch {
 public:
  Scratch() {
    const char* const parent = std::getenv("TMPDIR");
    directory_ = std::string(parent != nullptr ? parent : "/tmp") + "/lambert-XXXXXX";
    if (::mkdtemp(directory_.data()) == nullptr) {
      fail(ErrorCode::kIo, directory_, ": cannot be made: ", std::strerror(errno));
    }
  }
  ~Scratch() {
    ::unlink(path().c_str());
    ::rmdir(directory_.c_str());
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string path() const { return directory_ + "/model"; }

 private:
  std::string directory_;
};

// The model, opened because an error is better here than in the cloud.
ModelSource checked_model(const PackageCommand& command, std::optional<Scratch>& scratch) {
  Progress progress(true);
  if (!command.calibration.empty()) progress.show_step("calibrating ...");
  const Answerer answerer = open_model(command.model);
  ModelSource opened = open_model_source(command.model);
  if (opened.bundle || command.model.precision == "auto") return opened;
  answerer.pack(scratch.emplace().path());
  return open_model_source({.model = scratch->path()});
}

int package(PackageCommand command) {
  if (!command.calibration.empty() && command.model.model.empty()) {
    fail(ErrorCode::kInvalidArgument, "--calibration: needs --model, the model to pack");
  }
  read_calibration(command.calibration, command.model);
  const MappedFile program("/proc/self/exe");
  std::vector<ZipFile> files{{"bootstrap", program.bytes(), 0755}};
  std::optional<Scratch> scratch;
  ModelSource opened;
  if (!command.model.model.empty()) {
    opened = checked_model(command, scratch);
    if (opened.bundle) {
      files.push_back({"model/" + std::string(kBundleName), opened.bundle->bytes()});
    } else {
      for (const ModelFiles::Content& content : opened.files.contents()) {
        files.push_back({"model/" + content.name, std::as_bytes(std::span(content.bytes))});
      }
    }
  }
  std::vector<NamedFile> small;
  if (command.model.model.empty() && !command.model.config_dir.empty()) {
    small = small_files(command.model.config_dir);
  }
  for (const NamedFile& file : small) {
    files.push_back({"model/" + file.name, file.file.bytes()});
  }
  check_size(files);
  const std::size_t bytes =
      write_output(command.output, command.force, 0,
                   [&](const ByteSink& sink) { write_zip(files, kDeflateDefaultLevel, sink); });
  print_error(command.output + ": " + std::to_string(files.size()) +
              (files.size() == 1 ? " file, " : " files, ") + size_text(bytes));
  return kExitOk;
}

}  // namespace

void add_package(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<PackageCommand>();
  CLI::App* command = app.add_subcommand("package", "Makes the zip of an AWS Lambda function");
  command->footer(kPackageFooter);
  add_file(*command, "-o,--output", options->output, "the zip (-: standard output)")->required();
  // Not from LAMBERT_MODEL: what a function takes from there is not to be packed by accident.
  command->add_option("--model", options->model.model, "put this model into the zip")
      ->type_name("MODEL");
  command
      ->add_option(
          "--config-dir", options->model.config_dir,
          "has config.json and the tokenizer, where the model has none; alone: put them in")
      ->type_name("DIR");
  command
      ->add_option("--precision", options->model.precision,
                   "fp32 or int8: put the model in packed; auto: its files, as they are")
      ->type_name("NAME");
  add_calibration_option(*command, options->calibration);
  command->add_flag("--force", options->force, "replace a file that is there");
  command->callback(
      [options, &invocation] { invocation.run = [options] { return package(*options); }; });
}

}  // namespace lambert
