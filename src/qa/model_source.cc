#include "qa/model_source.h"

#include <filesystem>
#include <utility>

namespace lambert {

namespace {

std::optional<FileSet> directory_beside(const std::string& file, const std::string& config_dir) {
  if (!config_dir.empty()) return FileSet::of_directory(config_dir);
  const std::filesystem::path parent = std::filesystem::path(file).parent_path();
  return FileSet::of_directory(parent.empty() ? "." : parent.string());
}

}  // namespace

ModelSource open_model_source(const Options& options) {
  ModelSource opened;
  const auto shards = [&](std::string_view json, std::string_view source) {
    return opened.index.emplace(json, source).shards();
  };
  if (is_model_directory(options.model)) {
    std::optional<FileSet> beside;
    if (!options.config_dir.empty()) beside = FileSet::of_directory(options.config_dir);
    opened.files =
        choose_model_files(FileSet::of_directory(options.model), std::move(beside), shards);
  } else {
    opened.files = choose_model_files(FileSet::of_file(options.model),
                                      directory_beside(options.model, options.config_dir), shards);
  }
  return opened;
}

}  // namespace lambert
