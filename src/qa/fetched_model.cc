#include "qa/fetched_model.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "checkpoint/archive_members.h"
#include "checkpoint/bundle.h"

namespace lambert {

namespace {

void check_fetched_size(const Uri& uri, std::uint64_t bytes, std::uint64_t max_bytes) {
  if (bytes <= max_bytes) return;
  fail(ErrorCode::kLimitExceeded, quote(uri.text, 400), ": has ", bytes, " bytes, at most ",
       max_bytes, " are accepted: give it more memory, or set LAMBERT_MAX_MODEL_BYTES ",
       "(--max-model-bytes)");
}

// A file of known size, filled as its bytes arrive.
class MemoryFile {
 public:
  MemoryFile(const Uri& uri, const RemoteFile& file)
      : file_(MappedFile::in_memory(uri.text, static_cast<std::size_t>(file.size))) {}
  void push(std::span<const std::byte> bytes) {
    const std::span<std::byte> room = file_.writable().subspan(done_);
    if (bytes.size() > room.size()) {
      fail(ErrorCode::kIo, file_.path(), ": more bytes came than were announced");
    }
    std::memcpy(room.data(), bytes.data(), bytes.size());
    done_ += bytes.size();
  }
  MappedFile take() { return std::move(file_); }

 private:
  MappedFile file_;
  std::size_t done_ = 0;
};

// An archive, a packed model or a file of weights: the first block tells.
class FetchedFile {
 public:
  FetchedFile(const Uri& uri, const RemoteFile& file, std::uint64_t max_bytes)
      : uri_(uri), remote_(file), max_bytes_(max_bytes) {}

  void push(std::span<const std::byte> bytes) {
    if (!archive_ && !memory_) {
      const std::size_t n = std::min(bytes.size(), TarReader::kBlock - first_.size());
      first_.insert(first_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
      bytes = bytes.subspan(n);
      if (first_.size() < TarReader::kBlock) return;
      begin();
    }
    push_on(bytes);
  }

  FileSet finish() {
    if (!archive_ && !memory_) begin();
    if (archive_) return archived_files(uri_.text, archive_->finish());
    std::vector<NamedFile> files;
    MappedFile file = memory_->take();
    const std::string name = is_bundle(file.bytes()) ? std::string(kBundleName) : remote_.name;
    files.push_back({name, std::move(file)});
    return FileSet::of_memory(uri_.text, std::move(files));
  }

 private:
  void begin() {
    if (is_archive(first_)) {
      archive_.emplace(uri_.text, ArchiveLimits{.max_bytes = max_bytes_});
    } else {
      check_fetched_size(uri_, remote_.size, max_bytes_);
      memory_.emplace(uri_, remote_);
    }
    push_on(first_);
  }
  void push_on(std::span<const std::byte> bytes) {
    if (archive_) {
      archive_->push(bytes);
    } else {
      memory_->push(bytes);
    }
  }

  const Uri& uri_;
  const RemoteFile& remote_;
  const std::uint64_t max_bytes_;
  std::vector<std::byte> first_;  // until the kind of file is known
  std::optional<ArchiveReader> archive_;
  std::optional<MemoryFile> memory_;
};

FileSet fetch_prefix(const Uri& uri, const Remote& remote, std::uint64_t max_bytes) {
  std::uint64_t bytes = 0;
  for (const RemoteFile& file : remote.files) {
    if (is_model_file(file.name)) bytes += file.size;
  }
  check_fetched_size(uri, bytes, max_bytes);
  std::vector<NamedFile> files;
  for (std::size_t i = 0; i < remote.files.size(); ++i) {
    const RemoteFile& file = remote.files[i];
    if (!is_model_file(file.name)) {
      files.push_back({file.name, {}});  // for messages of what is there
      continue;
    }
    MemoryFile memory(uri, file);
    remote.get(i, [&](std::span<const std::byte> part) { memory.push(part); });
    files.push_back({file.name, memory.take()});
  }
  return FileSet::of_memory(uri.text, std::move(files));
}

}  // namespace

bool is_model_file(std::string_view name) {
  return member_kind(name) != MemberKind::kUnrelated;
}

FileSet fetch_model(const Uri& uri, const RemoteSettings& settings, std::uint64_t max_bytes) {
  const Remote remote = open_remote(uri, settings);
  if (remote.is_prefix) return fetch_prefix(uri, remote, max_bytes);
  FetchedFile file(uri, remote.files.front(), max_bytes);
  remote.get(0, [&](std::span<const std::byte> bytes) { file.push(bytes); });
  return file.finish();
}

FileSet archived_files(std::string where, std::vector<ArchivedFile> archived) {
  std::vector<NamedFile> files;
  files.reserve(archived.size());
  for (ArchivedFile& file : archived) {
    files.push_back({std::move(file.name), std::move(file.file)});
  }
  return FileSet::of_memory(std::move(where), std::move(files));
}

}  // namespace lambert
