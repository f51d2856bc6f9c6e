// Writes bundles (checkpoint/bundle.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/crc.h"

namespace lambert {

// Where a bundle goes: bytes one behind another, and at last the header over the first of them.
class BundleOutput {
 public:
  virtual ~BundleOutput() = default;
  virtual void append(std::span<const std::byte> bytes) = 0;
  // `header` replaces as many bytes at the beginning; `file_bytes` were appended.
  virtual void finish(std::span<const std::byte> header, std::uint64_t file_bytes) = 0;
};

// The same sections in the same order give the same bytes. Nothing is held but the table and, for a
// file, a buffer. Sections of 64 KiB and more, and those begun without a size, lie on pages.
class BundleWriter {
 public:
  // PATH.partial, renamed to PATH by finish(); removed where that was not called. Where symbolic
  // links lead to a file, that file is replaced. Throws kIo, also where another process is writing
  // the same. `sections`: how many there will be, since the table stands before them; throws
  // kLimitExceeded above kMaxBundleSections.
  BundleWriter(const std::string& path, std::size_t sections);
  // Into `memory`, which is emptied first and must outlive the writer.
  BundleWriter(std::string* memory, std::size_t sections);

  // A whole section.
  void add(std::uint32_t kind, std::uint32_t index, std::span<const std::byte> bytes);
  // A section piece by piece, until the next one begins or finish(). `size`, where it is known, is
  // checked. All throw kIo, and kInternal for two sections of one kind and index, another size or
  // number of sections than was announced, or a call after finish() or after one that threw.
  void begin(std::uint32_t kind, std::uint32_t index, std::optional<std::uint64_t> size = {});
  void append(std::span<const std::byte> bytes);
  void finish();

 private:
  struct Entry {
    std::uint32_t kind = 0, index = 0;
    std::uint64_t offset = 0, size = 0;
    std::uint32_t checksum = 0;
  };

  BundleWriter(std::unique_ptr<BundleOutput> output, std::size_t sections);
  void put(std::span<const std::byte> bytes);
  void put_zeros(std::uint64_t count);
  void end_section();
  std::string make_header() const;

  std::unique_ptr<BundleOutput> output_;  // null once finished or failed
  std::size_t announced_;
  std::uint64_t position_ = 0;
  std::set<std::pair<std::uint32_t, std::uint32_t>> keys_;
  std::vector<Entry> entries_;         // in the order of the file; the last is open if open_
  std::optional<std::uint64_t> size_;  // announced for the one that is open
  bool open_ = false;
  Crc32c crc_;
};

}  // namespace lambert
