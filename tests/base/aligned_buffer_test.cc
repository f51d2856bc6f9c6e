#include "base/aligned_buffer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>

namespace lambert {
namespace {

TEST(AlignedBuffer, IsAlignedAndOfItsSize) {
  for (const std::size_t size : {1U, 15U, 16U, 17U, 1000U}) {
    AlignedBuffer<float> buffer(size);
    EXPECT_EQ(buffer.size(), size);
    EXPECT_EQ(buffer.span().size(), size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % kAlignment, 0U);
    std::iota(buffer.data(), buffer.data() + size, 0.0F);
    EXPECT_EQ(buffer[size - 1], static_cast<float>(size - 1));
  }
}

TEST(AlignedBuffer, OfHugePagesIsAlignedToThemWhereItFillsOne) {
  constexpr std::size_t kPage = kHugePage / sizeof(float);
  for (const std::size_t size : {std::size_t{1000}, kPage / 2, kPage * 7 / 8, kPage, kPage + 1}) {
    AlignedBuffer<float> buffer(size, Pages::kHuge);
    const auto place = reinterpret_cast<std::uintptr_t>(buffer.data());
    EXPECT_EQ(place % (size > kPage / 2 ? kHugePage : kAlignment), 0U) << size;
    std::iota(buffer.data(), buffer.data() + size, 0.0F);
    EXPECT_EQ(buffer[size - 1], static_cast<float>(size - 1));
  }
}

TEST(AlignedBuffer, OfNothingHasNoMemory) {
  EXPECT_EQ(AlignedBuffer<float>().data(), nullptr);
  EXPECT_EQ(AlignedBuffer<float>(0).data(), nullptr);
}

TEST(AlignedBuffer, SizesThatOverflowAreRefused) {
  const std::size_t most = static_cast<std::size_t>(-1);
  for (const std::size_t size : {most, most / 4, most / 4 - 1, most / 4 + 2}) {
    EXPECT_THROW(AlignedBuffer<float> buffer(size), std::bad_alloc) << size;
  }
}

// The moved-from buffer kept its size over no memory.
TEST(AlignedBuffer, MovedFromIsEmpty) {
  AlignedBuffer<int> first(4);
  first[3] = 7;
  AlignedBuffer<int> second(std::move(first));
  EXPECT_EQ(second[3], 7);
  EXPECT_EQ(first.size(), 0U);
  EXPECT_TRUE(first.span().empty());
  AlignedBuffer<int> third(9);
  third = std::move(second);
  EXPECT_EQ(third.size(), 4U);
  EXPECT_EQ(second.size(), 0U);
}

}  // namespace
}  // namespace lambert
