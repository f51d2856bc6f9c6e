// Cyclic redundancy checks with reflected bits, eight bytes at a time ("Slicing-by-8", Kounavis and
// Berry, 2005): three to six times as fast as byte by byte, which would hold up decompression.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace lambert {

// `kPolynomial` has its bits reflected. Begins and ends with all bits inverted, as those below do.
template <typename Word, Word kPolynomial>
class Crc {
 public:
  void update(std::span<const std::byte> bytes) {
    while (bytes.size() >= kSlices) {
      std::uint64_t eight = 0;  // little-endian
      std::memcpy(&eight, bytes.data(), kSlices);
      eight ^= state_;
      Word next = 0;
      for (std::size_t i = 0; i < kSlices; ++i, eight >>= 8) {
        next ^= kTables[kSlices - 1 - i][eight & 0xFF];
      }
      state_ = next;
      bytes = bytes.subspan(kSlices);
    }
    for (const std::byte byte : bytes) {
      const Word low = (state_ ^ std::to_integer<Word>(byte)) & 0xFF;
      state_ = shifted(state_) ^ kTables[0][low];
    }
  }
  Word value() const { return static_cast<Word>(~state_); }

 private:
  static constexpr std::size_t kSlices = 8;
  using Tables = std::array<std::array<Word, 256>, kSlices>;

  static constexpr Word shifted(Word word) { return static_cast<Word>(word >> 8); }

  // kTables[n][b]: the remainder of byte b with n zero bytes behind it.
  static constexpr Tables make_tables() {
    Tables tables{};
    for (std::size_t byte = 0; byte < 256; ++byte) {
      Word rest = static_cast<Word>(byte);
      for (int bit = 0; bit < 8; ++bit) {
        rest = static_cast<Word>((rest >> 1) ^ ((rest & 1) != 0 ? kPolynomial : 0));
      }
      tables[0][byte] = rest;
    }
    for (std::size_t slice = 1; slice < kSlices; ++slice) {
      for (std::size_t byte = 0; byte < 256; ++byte) {
        const Word before = tables[slice - 1][byte];
        tables[slice][byte] = shifted(before) ^ tables[0][before & 0xFF];
      }
    }
    return tables;
  }
  static constexpr Tables kTables = make_tables();

  Word state_ = static_cast<Word>(~Word{0});
};

using Crc32c = Crc<std::uint32_t, 0x82F63B78>;                // Castagnoli
using Crc64Nvme = Crc<std::uint64_t, 0x9A6C9329AC4BC9B5ULL>;  // what S3 computes by itself

}  // namespace lambert
