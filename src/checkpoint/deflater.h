// Raw deflate (RFC 1951) of data that come in pieces, for the containers around it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/byte_sink.h"

namespace lambert {

inline constexpr int kDeflateDefaultLevel = 6;

// For one thread. The same pieces at the same level give the same bytes.
class Deflater {
 public:
  // Level 0 stores, 1 is fastest, 9 smallest. `sink` gets what is compressed.
  Deflater(int level, ByteSink sink);
  ~Deflater();
  void push(std::span<const std::byte> bytes);
  void finish();  // ends the stream

 private:
  struct Stream;
  void deflate(std::span<const std::byte> bytes, bool last);

  ByteSink sink_;
  std::unique_ptr<Stream> stream_;
};

// CRC-32 of zip and gzip, continued from `crc` (0 at the start).
std::uint32_t crc32_of(std::uint32_t crc, std::span<const std::byte> bytes);

}  // namespace lambert
