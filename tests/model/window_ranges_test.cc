#include "model/window_ranges.h"

#include <gtest/gtest.h>

#include <random>

namespace lambert {
namespace {

std::vector<std::uint32_t> begins(std::span<const std::uint32_t> tokens) {
  std::vector<std::uint32_t> begin = {0};
  for (const std::uint32_t count : tokens) begin.push_back(begin.back() + count);
  return begin;
}

using Tokens = std::vector<std::uint32_t>;

TEST(WindowRanges, ShortWindowsGoTogetherAndLongOnesAlone) {
  WindowRanges ranges(16, 1);
  const auto found = ranges.cut(begins(Tokens{60, 60, 300, 20, 100, 9}), 16, 128);
  ASSERT_EQ(found.size(), 4U);
  const WindowRange expected[] = {{2, 3, 300}, {0, 2, 120}, {3, 5, 120}, {5, 6, 9}};
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].first, expected[i].first) << i;
    EXPECT_EQ(found[i].last, expected[i].last) << i;
    EXPECT_EQ(found[i].tokens, expected[i].tokens) << i;
  }
}

TEST(WindowRanges, OneWindowIsForAllThreads) {
  EXPECT_EQ(WindowRanges(4, 1).cut(begins(Tokens{384}), 16, 128).size(), 1U);
  EXPECT_TRUE(WindowRanges(4, 2).cut(begins(Tokens{384}), 16, 128).empty());
  EXPECT_TRUE(WindowRanges(4, 2).cut(begins(Tokens{384, 128}), 16, 128).empty());
  EXPECT_EQ(WindowRanges(4, 2).cut(begins(Tokens{384, 370}), 16, 128).size(), 2U);
  EXPECT_TRUE(WindowRanges(4, 3).cut(begins(Tokens{384, 370}), 16, 128).empty());
}

TEST(WindowRanges, EachWindowIsInOneRange) {
  std::mt19937 random(7);
  for (int round = 0; round < 2'000; ++round) {
    const auto up_to = [&random](std::uint32_t most) {
      return static_cast<std::uint32_t>(1 + random() % most);
    };
    const unsigned threads = up_to(8);
    Tokens tokens(up_to(40));
    for (std::uint32_t& count : tokens) count = up_to(384);
    const auto begin = begins(tokens);
    WindowRanges cut(tokens.size(), threads);
    std::vector<int> seen(tokens.size());
    std::size_t before = begin.back();
    const auto ranges = cut.cut(begin, 16, 128);
    for (const WindowRange& range : ranges) {
      EXPECT_LE(range.tokens, before);
      before = range.tokens;
      EXPECT_EQ(range.tokens, begin[range.last] - begin[range.first]);
      EXPECT_TRUE(range.tokens <= 128 || range.last == range.first + 1);
      for (std::size_t i = range.first; i < range.last; ++i) ++seen[i];
    }
    for (const int times : seen) EXPECT_EQ(times, ranges.empty() ? 0 : 1);
  }
}

}  // namespace
}  // namespace lambert
