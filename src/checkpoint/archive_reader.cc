#include "checkpoint/archive_reader.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "base/error.h"
#include "checkpoint/archive_members.h"

namespace lambert {

using namespace std::string_view_literals;

namespace {

struct OtherKind {
  std::string_view magic, name, advice;
};
constexpr std::string_view kRepack = "unpack it, and pack it as .tar.gz with `lambert archive`";
constexpr OtherKind kOtherKinds[] = {
    {"PK\x03\x04"sv, "a zip file",
     "unpack it and pass the directory, or the file of weights in it"},
    {"\x28\xB5\x2F\xFD"sv, "compressed with zstd", kRepack},
    {"BZh"sv, "compressed with bzip2", kRepack},
    {"\xFD"
     "7zXZ"sv,
     "compressed with xz", kRepack},
    {"7z\xBC\xAF\x27\x1C"sv, "a 7z archive", kRepack},
    {"\x1F\x9D"sv, "compressed with compress", kRepack},
};

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_gzip(std::span<const std::byte> first) {
  return as_text(first).starts_with("\x1F\x8B"sv);
}

[[noreturn]] void refuse_kind(const std::string& source, std::span<const std::byte> first) {
  for (const OtherKind& other : kOtherKinds) {
    if (!as_text(first).starts_with(other.magic)) continue;
    fail(ErrorCode::kUnsupportedModel, source, ": is ", other.name, ", expected .tar.gz or .tar; ",
         other.advice);
  }
  fail(ErrorCode::kInvalidModel, source,
       first.empty() ? ": is empty" : ": is no tar archive, whole or compressed with gzip",
       "; make one with `lambert archive DIR -o model.tar.gz`");
}

void check_path(const std::string& source, const std::string& path) {
  const bool upwards = path == ".." || path.starts_with("../") || path.ends_with("/..") ||
                       path.find("/../") != std::string::npos;
  if (path.starts_with('/') || upwards || path.find('\0') != std::string::npos) {
    fail(ErrorCode::kInvalidModel, source, ": the member ", quote(path),
         " leads out of the archive; its names must be relative, without \"..\"");
  }
}

}  // namespace

bool is_archive(std::span<const std::byte> first) {
  return is_gzip(first) || TarReader::is_header(first);
}

ArchiveReader::ArchiveReader(std::string source, ArchiveLimits limits)
    : source_(std::move(source)), limits_(limits) {}

void ArchiveReader::push(std::span<const std::byte> bytes) {
  if (!gzip_ && !tar_) {
    const std::size_t n = std::min(bytes.size(), TarReader::kBlock - first_.size());
    first_.insert(first_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    bytes = bytes.subspan(n);
    if (first_.size() < TarReader::kBlock) return;
    begin(false);
  }
  if (gzip_) {
    gzip_->push(bytes);
  } else {
    tar_->push(bytes);
  }
}

// The kind of file is known from its first block, or from all there is.
void ArchiveReader::begin(bool last) {
  const auto on_member = [this](const TarMember& member) { return begin_member(member); };
  if (is_gzip(first_)) {
    gzip_.emplace(source_, [this](std::span<const std::byte> bytes) { push_tar(bytes); });
    gzip_->push(first_);
    return;
  }
  if (last || !TarReader::is_header(first_)) refuse_kind(source_, first_);
  tar_.emplace(source_, on_member);
  tar_->push(first_);
}

// What gzip held.
void ArchiveReader::push_tar(std::span<const std::byte> bytes) {
  const std::uint64_t out = gzip_->bytes_out();
  if (out > limits_.ratio_from && out / limits_.max_ratio > gzip_->bytes_in()) {
    fail(ErrorCode::kLimitExceeded, source_, ": ", gzip_->bytes_in(), " bytes decompress to ", out,
         " and more, over ", limits_.max_ratio, " times as many; weights do not shrink so far");
  }
  if (!tar_) {
    const std::size_t n = std::min(bytes.size(), TarReader::kBlock - first_of_tar_.size());
    first_of_tar_.insert(first_of_tar_.end(), bytes.begin(),
                         bytes.begin() + static_cast<std::ptrdiff_t>(n));
    bytes = bytes.subspan(n);
    if (first_of_tar_.size() < TarReader::kBlock) return;
    if (!TarReader::is_header(first_of_tar_)) {
      refuse_kind(source_ + " (decompressed)", first_of_tar_);
    }
    tar_.emplace(source_, [this](const TarMember& member) { return begin_member(member); });
    tar_->push(first_of_tar_);
  }
  tar_->push(bytes);
}

ByteSink ArchiveReader::begin_member(const TarMember& member) {
  if (++members_ > limits_.max_members) {
    fail(ErrorCode::kLimitExceeded, source_, ": has more than ", limits_.max_members, " members");
  }
  if (member.type == '5') return {};  // a directory
  check_path(source_, member.path);
  const std::string_view name = base_name(member.path);
  if (name.starts_with("._") || name.empty()) return {};  // macOS
  const MemberKind kind = member_kind(name);
  if (kind == MemberKind::kUnrelated) {
    const bool known = std::any_of(files_.begin(), files_.end(),
                                   [&](const ArchivedFile& file) { return file.name == name; });
    if (!known) files_.push_back({std::string(name), {}});
    return {};
  }
  if (member.type != '0') {
    fail(ErrorCode::kInvalidModel, source_, ": ", quote(member.path), " is ",
         member.type == 'S' ? "a sparse file" : "a link or device",
         ", expected a regular file; make the archive with `lambert archive`");
  }
  if (kind == MemberKind::kText && member.size > limits_.max_text) {
    fail(ErrorCode::kLimitExceeded, source_, ": ", quote(member.path), " has ", member.size,
         " bytes, at most ", limits_.max_text, " are accepted");
  }
  ArchivedFile& file = add(member, name);
  const std::span<std::byte> content = file.file.writable();
  return [content, done = std::size_t{0}](std::span<const std::byte> bytes) mutable {
    std::memcpy(content.data() + done, bytes.data(), bytes.size());
    done += bytes.size();
  };
}

ArchivedFile& ArchiveReader::add(const TarMember& member, std::string_view name) {
  for (const ArchivedFile& file : files_) {
    if (file.name != name) continue;
    fail(ErrorCode::kInvalidModel, source_, ": has ", quote(name),
         " twice: ", quote(file.file.path(), 400), " and ", quote(member.path), "; keep one");
  }
  if (member.size > limits_.max_bytes - kept_) {
    fail(ErrorCode::kLimitExceeded, source_, ": the member ", quote(member.path), " has ",
         member.size, " bytes; with it ", kept_, " + ", member.size, " would be kept, at most ",
         limits_.max_bytes,
         " are accepted: give it more memory, or set LAMBERT_MAX_MODEL_BYTES (--max-model-bytes)");
  }
  kept_ += member.size;
  files_.push_back(
      {std::string(name),
       MappedFile::in_memory(source_ + ": " + member.path, static_cast<std::size_t>(member.size))});
  return files_.back();
}

std::vector<ArchivedFile> ArchiveReader::finish() {
  if (!gzip_ && !tar_) begin(true);
  if (gzip_) gzip_->finish();
  if (!tar_) refuse_kind(source_ + " (decompressed)", first_of_tar_);
  tar_->finish();
  return std::move(files_);
}

}  // namespace lambert
