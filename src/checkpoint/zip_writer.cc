#include "checkpoint/zip_writer.h"

#include <cstdint>
#include <limits>

#include "base/error.h"

namespace lambert {

namespace {

constexpr std::uint64_t kMostBytes = std::numeric_limits<std::uint32_t>::max() - 1;
constexpr std::size_t kMostFiles = std::numeric_limits<std::uint16_t>::max() - 1;
constexpr std::uint16_t kVersion = 20;          // 2.0: deflate and directories
constexpr std::uint16_t kMadeBy = 3 << 8 | 20;  // Unix: attributes are modes
constexpr std::uint16_t kSizesBehind = 1 << 3;  // in a data descriptor, as they are known then
constexpr std::uint16_t kUtf8 = 1 << 11;
constexpr std::uint16_t kDate = 1 << 5 | 1;  // 1980-01-01, the first there is

// Little-endian fields.
class Record {
 public:
  Record& u16(std::size_t value) { return put(value, 2); }
  Record& u32(std::uint64_t value) { return put(value, 4); }
  Record& text(const std::string& value) {
    bytes_ += value;
    return *this;
  }
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(bytes_)); }

 private:
  Record& put(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) bytes_ += static_cast<char>(value >> 8 * i & 0xFF);
    return *this;
  }
  std::string bytes_;
};

struct ZippedFile {
  const ZipFile& file;
  std::uint64_t offset = 0, compressed = 0;
  std::uint32_t crc = 0;
};

// What local and central headers have in common: from the version that is needed to the sizes.
void put_common(Record& record, const ZippedFile& entry, bool local) {
  record.u16(kVersion).u16(kSizesBehind | kUtf8).u16(8).u16(0).u16(kDate);
  record.u32(local ? 0 : entry.crc);
  record.u32(local ? 0 : entry.compressed).u32(local ? 0 : entry.file.content.size());
  record.u16(entry.file.name.size()).u16(0);
}

}  // namespace

void write_zip(const std::vector<ZipFile>& files, int level, const ByteSink& sink) {
  std::uint64_t position = 0;
  const auto write = [&](std::span<const std::byte> bytes) {
    position += bytes.size();
    if (position > kMostBytes) {
      fail(ErrorCode::kLimitExceeded, "the zip has more than ", kMostBytes, " bytes");
    }
    sink(bytes);
  };
  if (files.size() > kMostFiles) {
    fail(ErrorCode::kLimitExceeded, "the zip has ", files.size(), " files, at most ", kMostFiles);
  }
  std::vector<ZippedFile> entries;
  for (const ZipFile& file : files) {
    if (file.content.size() > kMostBytes) {
      fail(ErrorCode::kLimitExceeded, quote(file.name), ": has ", file.content.size(),
           " bytes, a file in a zip at most ", kMostBytes);
    }
    ZippedFile& entry = entries.emplace_back(ZippedFile{file, position});
    Record local;
    put_common(local.u32(0x04034B50), entry, true);
    write(local.text(file.name).bytes());
    const std::uint64_t begin = position;
    Deflater deflater(level, write);
    deflater.push(file.content);
    deflater.finish();
    entry.compressed = position - begin;
    entry.crc = crc32_of(0, file.content);
    Record behind;
    behind.u32(0x08074B50).u32(entry.crc).u32(entry.compressed).u32(file.content.size());
    write(behind.bytes());
  }
  const std::uint64_t directory = position;
  for (const ZippedFile& entry : entries) {
    Record central;
    put_common(central.u32(0x02014B50).u16(kMadeBy), entry, false);
    constexpr std::uint64_t kRegularFile = 0100000;
    central.u16(0).u16(0).u16(0).u32((kRegularFile | entry.file.mode) << 16).u32(entry.offset);
    write(central.text(entry.file.name).bytes());
  }
  const std::uint64_t size = position - directory;
  Record end;
  end.u32(0x06054B50).u16(0).u16(0).u16(entries.size()).u16(entries.size());
  write(end.u32(size).u32(directory).u16(0).bytes());
}

}  // namespace lambert
