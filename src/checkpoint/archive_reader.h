// A model's archive, .tar or .tar.gz, read into memory as it arrives. Nothing is written to disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "checkpoint/gzip.h"
#include "checkpoint/tar.h"

namespace lambert {

struct ArchiveLimits {
  std::uint64_t max_bytes = 0;          // of what is kept
  std::uint64_t max_ratio = 50;         // of decompressed to compressed; fp32 weights have 1.1
  std::uint64_t ratio_from = 16 << 20;  // bytes of output from which on the ratio counts
  std::uint64_t max_text = 64 << 20;    // of one text file
  std::size_t max_members = 10'000;
};

struct ArchivedFile {
  std::string name;  // without directories
  MappedFile file;   // its path says "archive: path in it"; empty for a file of no use to a model
};

// Whether bytes that begin so (512 or more, or all there are) are such an archive.
bool is_archive(std::span<const std::byte> first);

// Keeps the files that member_kind names. For one thread.
class ArchiveReader {
 public:
  // `source` names the archive in messages.
  ArchiveReader(std::string source, ArchiveLimits limits);

  // The next bytes of the archive. Throws kInvalidModel for a damaged archive and for a member that
  // is absolute, leads upwards, is there twice, or is a link where a file is needed;
  // kLimitExceeded; kUnsupportedModel for what is another kind of file, saying what to do. After
  // that the reader is of no more use.
  void push(std::span<const std::byte> bytes);
  // There are no more: the files, each name once. Throws as push does.
  std::vector<ArchivedFile> finish();

 private:
  void begin(bool last);
  void push_tar(std::span<const std::byte> bytes);
  ByteSink begin_member(const TarMember& member);
  ArchivedFile& add(const TarMember& member, std::string_view name);

  std::string source_;
  ArchiveLimits limits_;
  std::vector<std::byte> first_;  // until the kind of file is known
  std::vector<std::byte> first_of_tar_;
  std::optional<GzipDecoder> gzip_;
  std::optional<TarReader> tar_;
  std::vector<ArchivedFile> files_;
  std::size_t members_ = 0;
  std::uint64_t kept_ = 0;  // bytes
};

}  // namespace lambert
