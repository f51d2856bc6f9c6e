#include "qa/model_source.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/cgroup.h"
#include "checkpoint/archive_reader.h"

namespace lambert {

namespace {

std::optional<FileSet> directory_beside(const std::string& file, const std::string& config_dir) {
  if (!config_dir.empty()) return FileSet::of_directory(config_dir);
  const std::filesystem::path parent = std::filesystem::path(file).parent_path();
  return FileSet::of_directory(parent.empty() ? "." : parent.string());
}

FileSet file_set(std::string where, std::vector<ArchivedFile> archived) {
  std::vector<NamedFile> files;
  for (ArchivedFile& file : archived) {
    files.push_back({std::move(file.name), std::move(file.file)});
  }
  return FileSet::of_memory(std::move(where), std::move(files));
}

// Reads an archive that is a file, in pieces whose pages are given back as it goes.
FileSet read_archive(const MappedFile& file, std::uint64_t max_bytes) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  ArchiveReader reader(file.path(), {.max_bytes = max_bytes});
  std::span<const std::byte> left = file.bytes();
  while (!left.empty()) {
    const std::span<const std::byte> piece = left.first(std::min(left.size(), kPiece));
    reader.push(piece);
    file.release(piece);
    left = left.subspan(piece.size());
  }
  return file_set(file.path(), reader.finish());
}

std::uint64_t max_model_bytes(const Options& options) {
  return options.max_model_bytes != 0 ? options.max_model_bytes : memory_limit();
}

// What one file is: the files of an archive, or a file of weights.
FileSet open_file(const Options& options) {
  const MappedFile file(options.model);
  const std::size_t first = std::min(file.bytes().size(), TarReader::kBlock);
  if (!is_archive(file.bytes().first(first))) return FileSet::of_file(options.model);
  return read_archive(file, max_model_bytes(options));
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
    opened.files = choose_model_files(open_file(options),
                                      directory_beside(options.model, options.config_dir), shards);
  }
  return opened;
}

}  // namespace lambert
