#include "base/crc.h"

#include <gtest/gtest.h>

#include <string>

namespace lambert {
namespace {

template <typename Crc>
auto crc_of(const std::string& text, std::size_t piece) {
  Crc crc;
  std::span<const std::byte> left = std::as_bytes(std::span(text));
  while (!left.empty()) {
    const auto part = left.first(std::min(piece, left.size()));
    crc.update(part);
    left = left.subspan(part.size());
  }
  return crc.value();
}

// The check values of the catalogue of parametrised CRC algorithms, in pieces of any size.
TEST(Crc, CheckValues) {
  for (std::size_t piece = 1; piece < 10; ++piece) {
    EXPECT_EQ(crc_of<Crc32c>("123456789", piece), 0xE3069283U);
    EXPECT_EQ(crc_of<Crc64Nvme>("123456789", piece), 0xAE8B14860A799888U);
  }
  EXPECT_EQ(crc_of<Crc32c>("", 1), 0U);
  EXPECT_EQ(crc_of<Crc64Nvme>("", 1), 0U);
}

TEST(Crc, LongTextsInPiecesOfAnySize) {
  std::string text;
  for (int i = 0; i < 1'000; ++i) text += static_cast<char>(i * i);
  for (const std::size_t piece : {std::size_t{7}, std::size_t{8}, std::size_t{64}, text.size()}) {
    EXPECT_EQ(crc_of<Crc64Nvme>(text, piece), crc_of<Crc64Nvme>(text, 1));
    EXPECT_EQ(crc_of<Crc32c>(text, piece), crc_of<Crc32c>(text, 1));
  }
}

}  // namespace
}  // namespace lambert
