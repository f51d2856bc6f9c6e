#include "checkpoint/zip_reader.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/error.h"

namespace lambert {

namespace {

constexpr std::size_t kMaxEntries = 100'000;
constexpr std::size_t kEndBytes = 22, kEnd64Bytes = 56, kLocator64Bytes = 20;
constexpr std::size_t kCentralBytes = 46, kLocalBytes = 30;
constexpr std::size_t kMaxComment = 0xFFFF;
constexpr std::uint32_t kEndMagic = 0x06054B50, kEnd64Magic = 0x06064B50,
                        kLocator64Magic = 0x07064B50, kCentralMagic = 0x02014B50,
                        kLocalMagic = 0x04034B50;
constexpr std::uint64_t kIn64 = 0xFFFFFFFF;  // the number stands in the extra field
constexpr unsigned kEncrypted = 1U << 0 | 1U << 6 | 1U << 13;

class ZipDirectory {
 public:
  ZipDirectory(std::span<const std::byte> file, std::string_view source)
      : file_(file), source_(source) {}

  std::vector<ZipEntry> read() {
    find_end();
    if (count_ > kMaxEntries) {
      fail(ErrorCode::kLimitExceeded, source_, ": has ", count_, " files, at most ", kMaxEntries,
           " are accepted");
    }
    std::uint64_t at = begin_;
    for (std::uint64_t i = 0; i < count_; ++i) at += read_entry(at);
    if (at != end_) refuse("its directory has another size than it says");
    check_names();
    check_places();
    return std::move(entries_);
  }

 private:
  struct Place {
    std::uint64_t begin, end;
  };

  [[noreturn]] void refuse(const std::string& what) const {
    fail(ErrorCode::kInvalidModel, source_, ": damaged zip file: ", what,
         "; download it again or make it anew");
  }

  std::uint64_t number(std::uint64_t at, std::size_t bytes) const {  // little-endian
    if (at > file_.size() || bytes > file_.size() - at) refuse("it is cut off");
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i > 0; --i) {
      value =
          value << 8 | std::to_integer<std::uint64_t>(file_[static_cast<std::size_t>(at) + i - 1]);
    }
    return value;
  }
  std::string_view text(std::uint64_t at, std::uint64_t bytes) const {
    if (at > file_.size() || bytes > file_.size() - at) refuse("it is cut off");
    return {reinterpret_cast<const char*>(file_.data()) + at, static_cast<std::size_t>(bytes)};
  }

  // The last record whose comment ends the file.
  void find_end() {
    if (file_.size() < kEndBytes) refuse("it is cut off");
    const std::size_t last = file_.size() - kEndBytes;
    const std::size_t first = last - std::min(last, kMaxComment);
    for (std::size_t at = last + 1; at > first; --at) {
      const std::size_t end = at - 1;
      if (number(end, 4) == kEndMagic && number(end + 20, 2) == last - end) return read_end(end);
    }
    refuse("its end is missing");
  }

  void read_end(std::uint64_t at) {
    if (number(at + 4, 2) != 0 || number(at + 6, 2) != 0) {
      if (number(at + 4, 2) != 0xFFFF) refuse("it has several parts");
    }
    count_ = number(at + 10, 2);
    std::uint64_t size = number(at + 12, 4);
    begin_ = number(at + 16, 4);
    end_ = at;
    if (at >= kLocator64Bytes && number(at - kLocator64Bytes, 4) == kLocator64Magic) {
      end_ = number(at - kLocator64Bytes + 8, 8);
      if (number(end_, 4) != kEnd64Magic || end_ + kEnd64Bytes > at - kLocator64Bytes ||
          number(end_ + 4, 8) + 12 != at - kLocator64Bytes - end_) {
        refuse("its 64-bit end is not where it should be");
      }
      count_ = number(end_ + 32, 8);
      size = number(end_ + 40, 8);
      begin_ = number(end_ + 48, 8);
    }
    if (begin_ > end_ || size != end_ - begin_) refuse("its directory is not where it should be");
  }

  // Returns the bytes of the directory's record at `at`.
  std::uint64_t read_entry(std::uint64_t at) {
    if (number(at, 4) != kCentralMagic) refuse("its directory is damaged");
    const std::uint64_t name_bytes = number(at + 28, 2), extra_bytes = number(at + 30, 2);
    const std::uint64_t bytes = kCentralBytes + name_bytes + extra_bytes + number(at + 32, 2);
    if (bytes > end_ - at) refuse("its directory is damaged");
    const std::string_view name = text(at + kCentralBytes, name_bytes);
    ZipEntry entry{
        name, false, static_cast<std::uint32_t>(number(at + 16, 4)), number(at + 24, 4), {}};
    std::uint64_t compressed = number(at + 20, 4), local = number(at + 42, 4);
    read_extra64(text(at + kCentralBytes + name_bytes, extra_bytes), at, entry.size, compressed,
                 local);
    const std::uint64_t method = number(at + 10, 2), flags = number(at + 8, 2);
    check_method(entry, method, flags);
    entry.bytes = content(entry, method, local, compressed);
    if (!entry.deflated && entry.size != compressed) {
      refuse("the file " + quote(name) + " is stored with two sizes");
    }
    entries_.push_back(entry);
    return bytes;
  }

  // Numbers that do not fit 32 bits stand one after another in the field 0x0001.
  void read_extra64(std::string_view extra, std::uint64_t at, std::uint64_t& size,
                    std::uint64_t& compressed, std::uint64_t& local) const {
    if (size != kIn64 && compressed != kIn64 && local != kIn64) return;
    std::uint64_t place = at + kCentralBytes + number(at + 28, 2);
    const std::uint64_t end = place + extra.size();
    while (place + 4 <= end) {
      const std::uint64_t id = number(place, 2), bytes = number(place + 2, 2);
      place += 4;
      if (bytes > end - place) break;
      if (id == 1) {
        const std::uint64_t field_end = place + bytes;
        for (std::uint64_t* const value : {&size, &compressed, &local}) {
          if (*value != kIn64) continue;
          if (field_end - place < 8) refuse("a 64-bit size is missing");
          *value = number(place, 8);
          place += 8;
        }
        return;
      }
      place += bytes;
    }
    refuse("a 64-bit size is missing");
  }

  void check_method(ZipEntry& entry, std::uint64_t method, std::uint64_t flags) const {
    if ((flags & kEncrypted) != 0) {
      fail(ErrorCode::kUnsupportedModel, source_, ": the file ", quote(entry.name),
           " in it is encrypted; make it anew without a password");
    }
    if (method != 0 && method != Z_DEFLATED) {
      fail(ErrorCode::kUnsupportedModel, source_, ": the file ", quote(entry.name),
           " in it is compressed by method ", method, ", expected stored (0) or deflate (8)");
    }
    entry.deflated = method == Z_DEFLATED;
  }

  // The bytes behind the local header, which must say the same.
  std::span<const std::byte> content(const ZipEntry& entry, std::uint64_t method,
                                     std::uint64_t local, std::uint64_t compressed) {
    if (number(local, 4) != kLocalMagic || number(local + 8, 2) != method ||
        (number(local + 6, 2) & kEncrypted) != 0 ||
        text(local + kLocalBytes, number(local + 26, 2)) != entry.name) {
      refuse("the header of the file " + quote(entry.name) + " contradicts the directory");
    }
    const std::uint64_t from = local + kLocalBytes + number(local + 26, 2) + number(local + 28, 2);
    if (from > begin_ || compressed > begin_ - from) {
      refuse("the file " + quote(entry.name) + " leaves the archive");
    }
    places_.push_back({local, from + compressed});
    return file_.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(compressed));
  }

  void check_names() const {
    std::vector<std::string_view> names;
    names.reserve(entries_.size());
    for (const ZipEntry& entry : entries_) names.push_back(entry.name);
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) refuse("it has the file " + quote(*twice) + " twice");
  }
  void check_places() {
    std::sort(places_.begin(), places_.end(),
              [](const Place& a, const Place& b) { return a.begin < b.begin; });
    for (std::size_t i = 1; i < places_.size(); ++i) {
      if (places_[i].begin < places_[i - 1].end) refuse("two files lie over each other");
    }
  }

  const std::span<const std::byte> file_;
  const std::string_view source_;
  std::uint64_t count_ = 0, begin_ = 0, end_ = 0;  // of the directory
  std::vector<ZipEntry> entries_;
  std::vector<Place> places_;  // of files with their headers
};

constexpr std::size_t kZlibPiece = std::size_t{1} << 30;  // zlib counts in 32 bits

}  // namespace

std::vector<ZipEntry> read_zip_directory(std::span<const std::byte> file, std::string_view source) {
  return ZipDirectory(file, source).read();
}

void inflate_zip_entry(const ZipEntry& entry, std::span<std::byte> content,
                       std::string_view source) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
    fail(ErrorCode::kLimitExceeded, source, ": no memory to decompress");
  }
  std::span<const std::byte> in = entry.bytes;
  std::span<std::byte> out = content;
  int status = Z_OK;
  while (status == Z_OK) {
    const std::size_t give = std::min(in.size(), kZlibPiece),
                      room = std::min(out.size(), kZlibPiece);
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));
    stream.avail_in = static_cast<uInt>(give);
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(room);
    status = inflate(&stream, Z_NO_FLUSH);
    in = in.subspan(give - stream.avail_in);
    out = out.subspan(room - stream.avail_out);
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END || !in.empty() || !out.empty()) {
    fail(ErrorCode::kInvalidModel, source, ": the file ", quote(entry.name),
         " in it is damaged or not of its size; download it again");
  }
}

void check_zip_crc(const ZipEntry& entry, std::span<const std::byte> content,
                   std::string_view source) {
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size());
  if (crc != entry.crc) {
    fail(ErrorCode::kInvalidModel, source, ": the file ", quote(entry.name),
         " in it does not have its checksum; download it again");
  }
}

}  // namespace lambert
