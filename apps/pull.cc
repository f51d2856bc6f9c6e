// lambert pull: a model, or any file, from another machine to this one.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <system_error>

#include "base/error.h"
#include "commands.h"
#include "model_options.h"
#include "output.h"
#include "qa/fetched_model.h"
#include "store/hub.h"
#include "store/remote.h"
#include "transfer.h"

namespace lambert {

namespace {

constexpr const char* kPullFooter = R"(Examples:
  lambert pull s3://bucket/models/squad-distilbert.tar.gz
  lambert pull s3://bucket/models/squad/ -o models/squad
  lambert pull hf://distilbert/distilbert-base-cased-distilled-squad
  lambert pull hf://org/private-model@v1.2 -o models/private     (HF_TOKEN is set)

A prefix of S3 gives the files of its model. Files of the Hub go to the cache that Hugging Face's
own tools share (HF_HOME), and with -o are copied to the directory; HF_ENDPOINT and HF_HUB_OFFLINE
are honoured. What is complete only gets its name. The path is printed to standard output.)";

struct PullCommand {
  std::string uri, directory = ".", profile;
  bool force = false;
};

std::string make_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) fail(ErrorCode::kIo, path, ": ", error.message());
  return path;
}

void pull_file(const Remote& remote, std::size_t index, const std::string& path, bool force) {
  write_output(path, force, remote.files[index].size,
               [&](const ByteSink& sink) { remote.get(index, sink); });
}

std::string pull_remote(const Uri& uri, const PullCommand& command) {
  const Remote remote = open_remote(uri, {.aws_profile = command.profile});
  const std::string directory = make_directory(command.directory) + "/";
  if (!remote.is_prefix) {
    const std::string& name = remote.files.front().name;
    if (name.empty() || name.front() == '.') {
      fail(ErrorCode::kInvalidArgument, quote(uri.text, 400), ": does not end in a file's name");
    }
    pull_file(remote, 0, directory + name, command.force);
    return directory + name;
  }
  std::size_t pulled = 0;
  for (std::size_t i = 0; i < remote.files.size(); ++i) {
    const std::string& name = remote.files[i].name;
    if (!is_model_file(name) || name.find('/') != name.npos) continue;
    pull_file(remote, i, directory + name, command.force);
    ++pulled;
  }
  if (pulled == 0) {
    fail(ErrorCode::kNotFound, quote(uri.text, 400), ": has no files of a model");
  }
  return command.directory;
}

std::string pull_from_hub(const Uri& uri, const PullCommand& command, bool copy) {
  std::string snapshot = fetch_from_hub(uri, {}, is_model_file);
  if (!copy) return snapshot;
  make_directory(command.directory);
  for (const auto& entry : std::filesystem::directory_iterator(snapshot)) {
    const std::string to = command.directory + "/" + entry.path().filename().string();
    const MappedFile file(entry.path().string());
    write_output(to, command.force, file.bytes().size(),
                 [&](const ByteSink& sink) { sink(file.bytes()); });
  }
  return command.directory;
}

int pull(const PullCommand& command, bool has_directory) {
  const Uri uri = parse_uri(command.uri, "the source");
  std::string path;
  switch (uri.kind) {
    case Uri::Kind::kPath:
      fail(ErrorCode::kInvalidArgument, quote(command.uri, 400),
           ": is on this machine, expected s3://, https:// or hf://");
    case Uri::Kind::kHub: path = pull_from_hub(uri, command, has_directory); break;
    case Uri::Kind::kS3:
    case Uri::Kind::kHttps: path = pull_remote(uri, command); break;
  }
  print(path + "\n");
  return kExitOk;
}

}  // namespace

void add_pull(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<PullCommand>();
  CLI::App* command = app.add_subcommand("pull", "Fetches a model from S3, https or the Hub");
  command->footer(kPullFooter);
  command->add_option("uri", options->uri, "s3://, https:// or hf://")
      ->type_name("URI")
      ->required();
  CLI::Option* const directory =
      command->add_option("-o,--output", options->directory, "where to (., or the Hub's cache)")
          ->type_name("DIR");
  command->add_flag("--force", options->force, "replace files that are there");
  add_profile_option(*command, options->profile);
  command->callback([options, directory, &invocation] {
    invocation.run = [options, directory] { return pull(*options, directory->count() > 0); };
  });
}

}  // namespace lambert
