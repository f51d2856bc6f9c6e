#include "base/flat.h"

#include <gtest/gtest.h>

#include <vector>

namespace lambert {
namespace {

std::string written() {
  FlatWriter packed;
  packed.u32(7);
  packed.text("odd");
  packed.array(std::span<const std::uint32_t>(std::vector<std::uint32_t>{1, 2, 3}));
  packed.u64(1ULL << 40);
  return packed.take();
}

// In memory that is aligned, and as long as it has to be.
std::vector<std::uint64_t> aligned(const std::string& bytes) {
  std::vector<std::uint64_t> memory(bytes.size() / 8 + 1);
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(memory.data()));
  return memory;
}

void read(const std::string& bytes) {
  const auto memory = aligned(bytes);
  FlatReader packed(std::as_bytes(std::span(memory)).first(bytes.size()), "m");
  EXPECT_EQ(packed.u32(), 7U);
  EXPECT_EQ(packed.text(), "odd");
  const auto numbers = packed.array<std::uint32_t>();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(numbers.data()) % kFlatAlignment, 0U);
  EXPECT_EQ(std::vector<std::uint32_t>(numbers.begin(), numbers.end()),
            (std::vector<std::uint32_t>{1, 2, 3}));
  EXPECT_EQ(packed.u64(), 1ULL << 40);
}

TEST(Flat, ReadsWhatWasWritten) {
  read(written());
}

TEST(Flat, EveryEndThatIsTooEarlyIsRefused) {
  const std::string whole = written();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(read(whole.substr(0, size)), Error) << size;
  }
}

TEST(Flat, LengthsThatOverflowAreRefused) {
  for (const std::uint64_t count : {~0ULL, 1ULL << 62, (1ULL << 61) + 1, 3ULL}) {
    FlatWriter writer;
    writer.u64(count);
    const auto memory = aligned(writer.take());
    FlatReader packed(std::as_bytes(std::span(memory)).first(8), "m");
    EXPECT_THROW(packed.array<std::uint64_t>(), Error) << count;
  }
}

TEST(Flat, NumbersOutsideTheirRangeAreNamed) {
  const auto memory = aligned(std::string("\5\0\0\0", 4));
  FlatReader packed(std::as_bytes(std::span(memory)).first(4), "m");
  try {
    packed.u32(6, 9, "num_heads");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidModel);
    EXPECT_STREQ(error.what(), "m: num_heads is 5, expected 6 to 9; pack the model anew");
  }
}

}  // namespace
}  // namespace lambert
