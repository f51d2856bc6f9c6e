// Writes a model's files as .tar.gz.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/byte_sink.h"

namespace lambert {

struct ArchiveFile {
  std::string name;  // without directories, at most 100 bytes
  std::span<const std::byte> content;
};

// POSIX ustar within gzip, compressed at `level` (0..9). Texts go first, so that whoever reads it
// has them before the weights. The same files give the same bytes: no times, no owners. Throws
// kInvalidArgument for a name that is too long, and what the sink throws.
void write_archive(std::vector<ArchiveFile> files, int level, const ByteSink& sink);

}  // namespace lambert
