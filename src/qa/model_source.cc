#include "qa/model_source.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/cgroup.h"
#include "checkpoint/archive_members.h"
#include "checkpoint/archive_reader.h"
#include "checkpoint/bundle.h"
#include "qa/fetched_model.h"
#include "store/hub.h"

namespace lambert {

namespace {

std::optional<FileSet> directory_beside(const std::string& file, const std::string& config_dir) {
  if (!config_dir.empty()) return FileSet::of_directory(config_dir);
  const std::filesystem::path parent = std::filesystem::path(file).parent_path();
  return FileSet::of_directory(parent.empty() ? "." : parent.string());
}

std::optional<FileSet> configured_directory(const Options& options) {
  if (options.config_dir.empty()) return std::nullopt;
  return FileSet::of_directory(options.config_dir);
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
  return archived_files(file.path(), reader.finish());
}

std::uint64_t max_model_bytes(const Options& options) {
  return options.max_model_bytes != 0 ? options.max_model_bytes : memory_limit();
}

// What one file is: a packed model, the files of an archive, or a file of weights.
FileSet open_file(const std::string& path, const Options& options) {
  MappedFile file(path);
  if (is_bundle(file.bytes())) {
    std::vector<NamedFile> files;
    files.push_back({std::string(kBundleName), std::move(file)});
    return FileSet::of_memory(path, std::move(files));
  }
  const std::size_t first = std::min(file.bytes().size(), TarReader::kBlock);
  if (!is_archive(file.bytes().first(first))) return FileSet::of_file(path);
  return read_archive(file, max_model_bytes(options));
}

// The files at one place, and those beside it.
struct Opened {
  FileSet files;
  std::optional<FileSet> beside;
};

Opened open_path(const std::string& path, const Options& options) {
  if (!is_model_directory(path)) {
    FileSet files = open_file(path, options);
    if (files.contains(kBundleName)) return {std::move(files), std::nullopt};
    return {std::move(files), directory_beside(path, options.config_dir)};
  }
  return {FileSet::of_directory(path), configured_directory(options)};
}

Opened open_uri(const Options& options) {
  const Uri uri = parse_uri(options.model, "the model");
  const RemoteSettings settings{.aws_profile = options.aws_profile};
  switch (uri.kind) {
    case Uri::Kind::kPath: return open_path(uri.path, options);
    case Uri::Kind::kHub:
      return {FileSet::of_directory(fetch_from_hub(uri, {}, is_model_file)),
              configured_directory(options)};
    case Uri::Kind::kS3:
    case Uri::Kind::kHttps: break;
  }
  return {fetch_model(uri, settings, max_model_bytes(options)), configured_directory(options)};
}

}  // namespace

ModelSource open_model_source(const Options& options) {
  ModelSource opened;
  const auto shards = [&](std::string_view json, std::string_view source) {
    return opened.index.emplace(json, source).shards();
  };
  auto [files, beside] = open_uri(options);
  if (files.contains(kBundleName)) {
    opened.bundle = files.open(kBundleName).file;
    return opened;
  }
  opened.files = choose_model_files(std::move(files), std::move(beside), shards);
  return opened;
}

}  // namespace lambert
