// Writes zip files (PKWARE, APPNOTE.TXT 6.3), as AWS Lambda takes for functions.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/byte_sink.h"
#include "checkpoint/deflater.h"

namespace lambert {

struct ZipFile {
  std::string name;  // with '/' between directories
  std::span<const std::byte> content;
  unsigned mode = 0644;  // permissions, as Unix has them
};

// Deflated at `level` (0..9); the same files give the same bytes: no times. Throws kLimitExceeded
// for what needs zip64 (4 GiB, 65,535 files), and what the sink throws.
void write_zip(const std::vector<ZipFile>& files, int level, const ByteSink& sink);

}  // namespace lambert
