// The container of a packed model: one file of sections, each with a kind and an index, mapped and
// used where it lies. What is in a section is the business of those who wrote it.
//
// This is the specification. All numbers are little-endian and unsigned; offsets count from the
// file's first byte.
//
//   header, 64 bytes
//    0  8  magic: 89 4C 41 4D 42 0D 0A 1A ("\x89LAMB\r\n\x1A": a copy as text damages it)
//    8  4  byte order: 0x01020304
//   12  4  header checksum: CRC-32C of bytes 0..12 and 16..header bytes
//   16  4  header bytes: 64 + 32 * sections
//   20  4  format: the version of the container it was written as, 1 or later
//   24  4  reader: the lowest version that a reader must know, 1..format
//   28  4  sections: at most kMaxBundleSections
//   32  8  file bytes
//   40 24  zeros; a reader of this version does not look at them
//   section table behind it, 32 bytes a section, ascending by kind as a number, then index; no pair
//   twice
//    0  4  kind: four characters, the first in the lowest byte (section_kind("conf"))
//    4  4  index
//    8  8  offset: a multiple of 64
//   16  8  size in bytes; may be 0
//   24  4  section checksum: CRC-32C of its bytes
//   28  4  zeros; a reader of this version does not look at them
//   sections, in any order
//      Each begins less than 4096 bytes behind the one before it (the first: behind the table);
//      what lies between is zeros. The file ends where the last one does.
//
// CRC-32C is Castagnoli's, as of iSCSI (RFC 3720): that of "123456789" is 0xE3069283.
//
// In every later version bytes 0..28 mean the same and the header has at most kMaxBundleHeader
// bytes, so that any reader can check it and say whose it is. A version that earlier readers can
// read leaves `reader` as it was and adds sections of new kinds, which they do not look for, or
// uses zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lambert {

constexpr std::uint32_t kBundleFormat = 1;  // what is written, and the latest that is read
constexpr std::size_t kMaxBundleSections = 16'384;
constexpr std::size_t kMaxBundleHeader = std::size_t{1} << 20;
constexpr std::size_t kBundleHeaderBytes = 64, kBundleEntryBytes = 32;
constexpr std::size_t kBundleAlignment = 64, kBundlePage = 4'096;
constexpr std::size_t kBundleChecksumAt = 12;
constexpr char kBundleMagic[] = "\x89LAMB\r\n\x1A";
constexpr std::size_t kBundleMagicBytes = sizeof kBundleMagic - 1;
constexpr std::uint32_t kBundleByteOrder = 0x01020304;

// section_kind("conf"): c lowest, as it stands in the file.
constexpr std::uint32_t section_kind(const char (&name)[5]) {
  std::uint32_t kind = 0;
  for (int i = 3; i >= 0; --i) kind = kind << 8 | static_cast<unsigned char>(name[i]);
  return kind;
}

// "section conf 0" for messages; a kind that is not four printable characters as a number.
std::string section_name(std::uint32_t kind, std::uint32_t index);

// The header's own checksum; `header` is all of it, with the table. Throws kInternal below 64
// bytes.
std::uint32_t bundle_header_checksum(std::span<const std::byte> header);

// Whether a file that begins so means to be a bundle, of any version.
bool is_bundle(std::span<const std::byte> beginning);

// A bundle that somebody holds in memory or mapped; views of it must not outlive that. Sections are
// aligned in memory to 64 bytes if the file is, as a mapping is.
class Bundle {
 public:
  struct Section {
    std::uint32_t kind = 0, index = 0;
    std::span<const std::byte> bytes;
  };

  // Checks the header and the table, touching nothing else of the file, and keeps a copy of the
  // table: a file that is changed later cannot lead outside of it. `source` names it in messages.
  // Throws kInvalidModel for what is no bundle, is cut off, damaged or hostile, and
  // kUnsupportedModel for one that needs a later reader.
  Bundle(std::span<const std::byte> file, std::string source);

  std::uint32_t format() const { return format_; }
  // By kind, then index.
  std::span<const Section> sections() const { return sections_; }
  // Those of one kind, by index.
  std::span<const Section> sections(std::uint32_t kind) const;

  std::optional<std::span<const std::byte>> find(std::uint32_t kind, std::uint32_t index = 0) const;
  // Throws kInvalidModel, naming it.
  std::span<const std::byte> get(std::uint32_t kind, std::uint32_t index = 0) const;

  // Reads the whole file and compares all checksums, and that there are zeros between sections.
  // Throws kInvalidModel, naming the first in the file that is damaged.
  void verify() const;

 private:
  template <typename... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const;
  std::uint64_t number(std::size_t at, std::size_t bytes) const;

  void check_beginning() const;
  void check_versions();
  void read_table();
  void check_layout();

  std::span<const std::byte> file_;
  std::string source_;
  std::uint32_t format_ = 0;
  std::size_t header_bytes_ = 0;
  std::vector<Section> sections_;
  std::vector<std::uint32_t> checksums_;  // of sections_
  std::vector<std::uint32_t> by_place_;   // indices of sections_, as they lie in the file
};

}  // namespace lambert
