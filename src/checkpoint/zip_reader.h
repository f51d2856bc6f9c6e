// Reads zip files (PKWARE, APPNOTE.TXT 6.3): stored or deflated files, zip64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace lambert {

struct ZipEntry {
  std::string_view name;  // as it stands there; ends in '/' for a directory
  bool deflated = false;
  std::uint32_t crc = 0;
  std::uint64_t size = 0;            // of the content, as the directory says
  std::span<const std::byte> bytes;  // as they lie in the file
};

// The directory at the end of the zip file, in its order. Everything that two readers could
// understand differently is refused: names twice, files over each other, a local name or method
// that the directory contradicts, bytes after the end, and encryption. Views into `file`; `source`
// names it in messages. Throws kInvalidModel, kLimitExceeded, and kUnsupportedModel for
// compression other than deflate.
std::vector<ZipEntry> read_zip_directory(std::span<const std::byte> file, std::string_view source);

// The content of a deflated file into `content`, which has exactly its size. Throws kInvalidModel.
void inflate_zip_entry(const ZipEntry& entry, std::span<std::byte> content,
                       std::string_view source);

// Throws kInvalidModel where `content` is not what was written.
void check_zip_crc(const ZipEntry& entry, std::span<const std::byte> content,
                   std::string_view source);

}  // namespace lambert
