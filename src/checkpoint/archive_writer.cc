#include "checkpoint/archive_writer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <tuple>

#include "base/error.h"
#include "checkpoint/archive_members.h"
#include "checkpoint/deflater.h"
#include "checkpoint/tar.h"

namespace lambert {

namespace {

constexpr std::uint64_t kMostOctal = (std::uint64_t{1} << 33) - 1;  // what 11 octal digits hold
constexpr std::size_t kLongestName = 100;

using Block = std::array<char, TarReader::kBlock>;

// `digits` octal digits; the NUL behind them is there already.
void put_octal(Block& block, std::size_t at, std::size_t digits, std::uint64_t value) {
  for (std::size_t i = digits; i > 0; --i, value >>= 3) {
    block[at + i - 1] = static_cast<char>('0' + (value & 7));
  }
}

// A size beyond the octal digits is written as GNU and POSIX readers know it, in base 256.
void put_size(Block& block, std::uint64_t size) {
  constexpr std::size_t kAt = 124, kLength = 12;
  if (size <= kMostOctal) return put_octal(block, kAt, 11, size);
  block[kAt] = static_cast<char>(0x80);
  for (std::size_t i = kLength - 1; i > 0; --i, size >>= 8) {
    block[kAt + i] = static_cast<char>(size & 0xFF);
  }
}

Block header_of(const ArchiveFile& file) {
  Block block{};
  std::memcpy(block.data(), file.name.data(), file.name.size());
  put_octal(block, 100, 7, 0644);  // mode
  put_octal(block, 108, 7, 0);     // owner
  put_octal(block, 116, 7, 0);     // group
  put_size(block, file.content.size());
  put_octal(block, 136, 11, 0);  // time
  block[156] = '0';              // a regular file
  std::memcpy(block.data() + 257, "ustar\00000", 8);
  std::memset(block.data() + 148, ' ', 8);  // the checksum counts as spaces
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put_octal(block, 148, 6, sum);
  block[154] = 0;
  return block;
}

// gzip around deflate, with nothing in its header that differs from run to run (RFC 1952).
class GzipWriter {
 public:
  GzipWriter(int level, const ByteSink& sink) : sink_(sink), deflater_(level, sink) {
    constexpr std::array<unsigned char, 10> kHeader = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255};
    sink_(std::as_bytes(std::span(kHeader)));
  }
  void push(std::span<const std::byte> bytes) {
    crc_ = crc32_of(crc_, bytes);
    size_ += bytes.size();
    deflater_.push(bytes);
  }
  void finish() {
    deflater_.finish();
    std::array<std::byte, 8> trailer;
    for (std::size_t i = 0; i < 4; ++i) {
      trailer[i] = static_cast<std::byte>(crc_ >> 8 * i & 0xFF);
      trailer[4 + i] = static_cast<std::byte>(size_ >> 8 * i & 0xFF);
    }
    sink_(trailer);
  }

 private:
  const ByteSink& sink_;
  Deflater deflater_;
  std::uint32_t crc_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace

void write_archive(std::vector<ArchiveFile> files, int level, const ByteSink& sink) {
  std::sort(files.begin(), files.end(), [](const ArchiveFile& a, const ArchiveFile& b) {
    const auto key = [](const ArchiveFile& file) {
      return std::tuple(member_kind(file.name) == MemberKind::kWeights,
                        std::string_view(file.name));
    };
    return key(a) < key(b);
  });
  static constexpr Block kZeros{};
  GzipWriter gzip(level, sink);
  for (const ArchiveFile& file : files) {
    if (file.name.size() > kLongestName) {
      fail(ErrorCode::kInvalidArgument, quote(file.name), ": the name has ", file.name.size(),
           " bytes, a member of an archive at most ", kLongestName, "; give it a shorter one");
    }
    const Block header = header_of(file);
    gzip.push(std::as_bytes(std::span(header)));
    gzip.push(file.content);
    const std::size_t padding =
        (kZeros.size() - file.content.size() % kZeros.size()) % kZeros.size();
    gzip.push(std::as_bytes(std::span(kZeros).first(padding)));
  }
  for (int i = 0; i < 2; ++i) gzip.push(std::as_bytes(std::span(kZeros)));
  gzip.finish();
}

}  // namespace lambert
