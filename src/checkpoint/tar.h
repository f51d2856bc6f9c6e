// tar archives, read as they arrive: POSIX ustar and pax, GNU tar, and the older kind without magic
// (POSIX.1-2017, pax; the GNU tar manual, "Basic Tar Format").
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_sink.h"

namespace lambert {

struct TarMember {
  std::string path;        // as it stands in the archive
  std::uint64_t size = 0;  // of the content that follows
  char type = '0';         // '0': a regular file; others as in the header, 'S': sparse
};

// For one thread. Keeps one header, or one extended header of at most 1 MiB, in memory.
class TarReader {
 public:
  static constexpr std::size_t kBlock = 512;

  // Called for each member; returns where its content goes, or nothing to pass over it.
  using OnMember = std::function<ByteSink(const TarMember&)>;
  // `source` names the archive in messages.
  TarReader(std::string source, OnMember on_member);

  // The next bytes of the archive. Throws kInvalidModel, kLimitExceeded, and what the callbacks
  // throw; after that the reader is of no more use.
  void push(std::span<const std::byte> bytes);
  // There are no more. Throws kInvalidModel where a member is not complete. Blocks of zeros at the
  // end may be missing.
  void finish();

  // Whether a block is the header of a member: whether its checksum is right.
  static bool is_header(std::span<const std::byte> block);

 private:
  enum class State { kHeader, kContent, kExtended, kSparse, kPadding, kEnd };
  // What extended headers say of the next member, and global ones of all that follow.
  struct Extended {
    std::optional<std::string> path;
    std::optional<std::uint64_t> size;
    bool sparse = false;
  };

  std::size_t take(std::span<const std::byte> bytes);
  std::size_t take_block(std::span<const std::byte> bytes);
  std::size_t take_content(std::span<const std::byte> bytes);
  void take_header();
  void begin_member(TarMember member);
  void end_extended();
  void read_pax(std::string_view records, Extended& into) const;
  std::uint64_t number(std::size_t at, std::size_t length, const char* field) const;
  std::string text(std::size_t at, std::size_t length) const;
  [[noreturn]] void refuse(const std::string& what) const;

  std::string source_;
  OnMember on_member_;
  State state_ = State::kHeader;
  std::array<std::byte, kBlock> block_{};  // of the header
  std::size_t filled_ = 0;                 // bytes of block_ that have arrived
  std::size_t zero_blocks_ = 0;            // one after another
  std::uint64_t position_ = 0;             // in the archive
  std::uint64_t left_ = 0, padding_ = 0;   // of the content
  ByteSink sink_;
  char extended_type_ = 0;  // x, g, L or K while such a header is read
  std::string extended_text_;
  Extended next_, global_;
};

}  // namespace lambert
