#include "checkpoint/bundle.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <tuple>
#include <utility>

#include "base/crc.h"
#include "base/error.h"

namespace lambert {

static_assert(std::endian::native == std::endian::little, "sections are used as they lie");

namespace {

constexpr char kPackAnew[] = "; download it again or pack it anew";
constexpr std::size_t kByteOrderAt = 8, kHeaderBytesAt = 16, kFormatAt = 20, kReaderAt = 24,
                      kSectionsAt = 28, kFileBytesAt = 32;
constexpr std::size_t kOffsetAt = 8, kSizeAt = 16, kSectionChecksumAt = 24;  // of an entry

std::string hex_number(std::uint64_t value) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text = "0x";
  for (int shift = 28; shift >= 0; shift -= 4) text += kDigits[value >> shift & 15];
  return text;
}

std::uint32_t section_checksum(std::span<const std::byte> bytes) {
  Crc32c crc;
  crc.update(bytes);
  return crc.value();
}

std::tuple<std::uint32_t, std::uint32_t> section_key(const Bundle::Section& section) {
  return {section.kind, section.index};
}

std::string name_of(const Bundle::Section& section) {
  return section_name(section.kind, section.index);
}

}  // namespace

std::string section_name(std::uint32_t kind, std::uint32_t index) {
  std::string name;
  for (int shift = 0; shift < 32; shift += 8) name += static_cast<char>(kind >> shift & 0xFF);
  const bool printable =
      std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
  return "section " + (printable ? name : hex_number(kind)) + " " + std::to_string(index);
}

std::uint32_t bundle_header_checksum(std::span<const std::byte> header) {
  if (header.size() < kBundleHeaderBytes) {
    fail(ErrorCode::kInternal, "a bundle's header of ", header.size(), " bytes");
  }
  Crc32c crc;
  crc.update(header.first(kBundleChecksumAt));
  crc.update(header.subspan(kBundleChecksumAt + 4));
  return crc.value();
}

bool is_bundle(std::span<const std::byte> beginning) {
  return beginning.size() >= kBundleMagicBytes &&
         std::memcmp(beginning.data(), kBundleMagic, kBundleMagicBytes) == 0;
}

Bundle::Bundle(std::span<const std::byte> file, std::string source)
    : file_(file), source_(std::move(source)) {
  check_beginning();
  header_bytes_ = static_cast<std::size_t>(number(kHeaderBytesAt, 4));
  check_versions();
  read_table();
  check_layout();
}

template <typename... Parts>
void Bundle::refuse(const Parts&... parts) const {
  fail(ErrorCode::kInvalidModel, source_, ": ", parts...);
}

// Little-endian; within the header, once check_beginning has passed.
std::uint64_t Bundle::number(std::size_t at, std::size_t bytes) const {
  std::uint64_t value = 0;
  for (const std::byte byte : file_.subspan(at, bytes)) {
    value = value >> 8 | std::to_integer<std::uint64_t>(byte) << 56;
  }
  return value >> (64 - 8 * bytes);
}

// That the header is there and as it was written. All of a later version's header is checked, so
// that one that was damaged is not taken for it.
void Bundle::check_beginning() const {
  const auto start = file_.first(std::min(file_.size(), kBundleMagicBytes));
  if (start.empty()) refuse("is empty, expected a packed model", kPackAnew);
  if (std::memcmp(start.data(), kBundleMagic, start.size()) != 0) {
    refuse("not a packed model of Lambert: begins with ",
           quote({reinterpret_cast<const char*>(start.data()), start.size()}), ", expected ",
           quote({kBundleMagic, kBundleMagicBytes}), kPackAnew);
  }
  if (file_.size() < kBundleHeaderBytes) {
    refuse("is cut off: has ", file_.size(), " bytes, the header alone ", kBundleHeaderBytes,
           kPackAnew);
  }
  if (const std::uint64_t order = number(kByteOrderAt, 4); order != kBundleByteOrder) {
    const bool swapped = order == 0x04030201;
    refuse(swapped ? "is big-endian: its byte order is " : "the header is damaged: byte order is ",
           hex_number(order), ", expected ", hex_number(kBundleByteOrder), kPackAnew);
  }
  const std::uint64_t header = number(kHeaderBytesAt, 4);
  if (header < kBundleHeaderBytes || header > kMaxBundleHeader) {
    refuse("the header is damaged: header bytes is ", header, ", expected ", kBundleHeaderBytes,
           " to ", kMaxBundleHeader, kPackAnew);
  }
  if (header > file_.size()) {
    refuse("is cut off: has ", file_.size(), " bytes, its header alone ", header, " and the file ",
           number(kFileBytesAt, 8), kPackAnew);
  }
  const std::uint64_t expected = number(kBundleChecksumAt, 4);
  const std::uint32_t found = bundle_header_checksum(file_.first(static_cast<std::size_t>(header)));
  if (found != expected) {
    refuse("the header is damaged: its checksum is ", hex_number(found), ", expected ",
           hex_number(expected), kPackAnew);
  }
}

void Bundle::check_versions() {
  format_ = static_cast<std::uint32_t>(number(kFormatAt, 4));
  const std::uint64_t reader = number(kReaderAt, 4);
  if (reader == 0 || reader > format_) {
    refuse("the header is damaged: reader is ", reader, ", expected 1 to its format, ", format_,
           kPackAnew);
  }
  if (reader > kBundleFormat) {
    fail(ErrorCode::kUnsupportedModel, source_, ": made by a later Lambert: format ", format_,
         " for readers of ", reader, " and later, this one reads up to ", kBundleFormat,
         "; update Lambert");
  }
  const std::uint64_t size = number(kFileBytesAt, 8);
  if (size > file_.size()) {
    refuse("is cut off: has ", file_.size(), " bytes, its header says ", size, kPackAnew);
  }
  if (size < file_.size()) {
    refuse("something was appended: has ", file_.size(), " bytes, its header says ", size,
           kPackAnew);
  }
}

void Bundle::read_table() {
  const std::uint64_t count = number(kSectionsAt, 4);
  if (count > kMaxBundleSections) {
    refuse("has ", count, " sections, at most ", kMaxBundleSections, " are accepted", kPackAnew);
  }
  if (header_bytes_ != kBundleHeaderBytes + count * kBundleEntryBytes) {
    refuse("the header is damaged: header bytes is ", header_bytes_, ", expected ",
           kBundleHeaderBytes + count * kBundleEntryBytes, " for ", count, " sections", kPackAnew);
  }
  sections_.reserve(static_cast<std::size_t>(count));
  checksums_.reserve(static_cast<std::size_t>(count));
  for (std::size_t at = kBundleHeaderBytes; at < header_bytes_; at += kBundleEntryBytes) {
    Section section{static_cast<std::uint32_t>(number(at, 4)),
                    static_cast<std::uint32_t>(number(at + 4, 4)),
                    {}};
    const std::uint64_t offset = number(at + kOffsetAt, 8), size = number(at + kSizeAt, 8);
    if (offset % kBundleAlignment != 0) {
      refuse(name_of(section), " begins at byte ", offset, ", expected a multiple of ",
             kBundleAlignment, kPackAnew);
    }
    if (offset > file_.size() || size > file_.size() - offset) {
      refuse(name_of(section), " leaves the file: ", size, " bytes from byte ", offset, " of ",
             file_.size(), kPackAnew);
    }
    if (!sections_.empty() && section_key(section) <= section_key(sections_.back())) {
      const bool twice = section_key(section) == section_key(sections_.back());
      refuse(name_of(section),
             twice ? " is there twice" : " is not where its kind and index belong", kPackAnew);
    }
    section.bytes = file_.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
    sections_.push_back(section);
    checksums_.push_back(static_cast<std::uint32_t>(number(at + kSectionChecksumAt, 4)));
  }
}

// Header and sections one behind another from the file's beginning to its end.
void Bundle::check_layout() {
  by_place_.resize(sections_.size());
  std::iota(by_place_.begin(), by_place_.end(), std::uint32_t{0});
  const auto place = [&](std::uint32_t i) {  // an empty one before what begins where it does
    return std::tuple(sections_[i].bytes.data(), sections_[i].bytes.size(), i);
  };
  std::sort(by_place_.begin(), by_place_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return place(a) < place(b); });
  std::size_t end = header_bytes_;
  for (const std::uint32_t i : by_place_) {
    const auto begin = static_cast<std::size_t>(sections_[i].bytes.data() - file_.data());
    if (begin < end) {
      refuse(name_of(sections_[i]), " begins at byte ", begin, ", expected ", end,
             " or later: it lies over what is before it", kPackAnew);
    }
    if (begin - end >= kBundlePage) {
      refuse(name_of(sections_[i]), " begins at byte ", begin, ", ", begin - end,
             " behind what is before it, expected less than ", kBundlePage, kPackAnew);
    }
    end = begin + sections_[i].bytes.size();
  }
  if (end != file_.size()) {
    refuse("has ", file_.size(), " bytes, but its last section ends at byte ", end, kPackAnew);
  }
}

std::span<const Bundle::Section> Bundle::sections(std::uint32_t kind) const {
  const auto first = std::partition_point(sections_.begin(), sections_.end(),
                                          [&](const Section& s) { return s.kind < kind; });
  const auto last = std::partition_point(first, sections_.end(),
                                         [&](const Section& s) { return s.kind == kind; });
  return {first, last};
}

std::optional<std::span<const std::byte>> Bundle::find(std::uint32_t kind,
                                                       std::uint32_t index) const {
  const auto found = std::partition_point(
      sections_.begin(), sections_.end(),
      [&](const Section& s) { return section_key(s) < std::tuple(kind, index); });
  if (found == sections_.end() || section_key(*found) != std::tuple(kind, index)) {
    return std::nullopt;
  }
  return found->bytes;
}

std::span<const std::byte> Bundle::get(std::uint32_t kind, std::uint32_t index) const {
  if (const auto bytes = find(kind, index)) return *bytes;
  refuse("has no ", section_name(kind, index), " among its ", sections_.size(),
         "; pack it anew with this Lambert");
}

void Bundle::verify() const {
  std::size_t end = header_bytes_;
  for (const std::uint32_t i : by_place_) {
    const auto bytes = sections_[i].bytes;
    const auto begin = static_cast<std::size_t>(bytes.data() - file_.data());
    for (; end < begin; ++end) {
      if (file_[end] == std::byte{0}) continue;
      refuse("byte ", end, ", before ", name_of(sections_[i]), ", is ",
             std::to_integer<int>(file_[end]), ", expected 0", kPackAnew);
    }
    if (const std::uint32_t found = section_checksum(bytes); found != checksums_[i]) {
      refuse(name_of(sections_[i]), " is damaged: its checksum is ", hex_number(found),
             ", expected ", hex_number(checksums_[i]), kPackAnew);
    }
    end = begin + bytes.size();
  }
}

}  // namespace lambert
