#include "base/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "../code_of.h"
#include "base/error.h"

namespace lambert {
namespace {

class MappedFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/mapped_file_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string file(const std::string& content) const {
    const std::string path = directory_ / "file";
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  std::filesystem::path directory_;
};

TEST_F(MappedFileTest, ShowsTheBytesOfTheFile) {
  const std::string path = file(std::string("a\0b", 3));
  const MappedFile mapped(path);
  EXPECT_EQ(mapped.text(), std::string_view("a\0b", 3));
  EXPECT_EQ(mapped.bytes().size(), 3U);
  EXPECT_EQ(mapped.path(), path);
  EXPECT_EQ(read_file(path, 3), std::string("a\0b", 3));
}

TEST_F(MappedFileTest, AnEmptyFileIsAnEmptySpan) {
  const std::string path = file("");
  EXPECT_TRUE(MappedFile(path).bytes().empty());
  EXPECT_EQ(read_file(path, 0), "");
  EXPECT_TRUE(MappedFile().bytes().empty());
}

TEST_F(MappedFileTest, WhatCannotBeReadIsNamed) {
  const std::string missing = directory_ / "missing";
  const std::string below = file("x") + "/below";
  const std::string directory = directory_;
  EXPECT_EQ(code_of([&] { MappedFile mapped(missing); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { MappedFile mapped(below); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { MappedFile mapped(directory); }), ErrorCode::kIo);
  EXPECT_EQ(code_of([&] { MappedFile mapped("/dev/null"); }), ErrorCode::kIo);
  EXPECT_EQ(code_of([&] { read_file(missing, 9); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { read_file(directory, 9); }), ErrorCode::kIo);
  EXPECT_EQ(code_of([&] { read_file(file("12345"), 4); }), ErrorCode::kLimitExceeded);
  try {
    MappedFile mapped(missing);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(missing), std::string::npos);
  }
}

// A FIFO without a writer would block for ever in open().
TEST_F(MappedFileTest, AFifoIsRefusedWithoutWaiting) {
  const std::string path = directory_ / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(code_of([&] { MappedFile mapped(path); }), ErrorCode::kIo);
  EXPECT_EQ(code_of([&] { read_file(path, 9); }), ErrorCode::kIo);
}

TEST_F(MappedFileTest, MovesKeepTheMapping) {
  MappedFile first(file("content"));
  const std::byte* data = first.bytes().data();
  MappedFile second(std::move(first));
  EXPECT_EQ(second.bytes().data(), data);
  MappedFile third;
  third = std::move(second);
  EXPECT_EQ(third.text(), "content");
}

TEST_F(MappedFileTest, ReleasedPartsStayReadable) {
  std::string content(100'000, 'x');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>('a' + i % 26);
  const MappedFile mapped(file(content));
  EXPECT_EQ(mapped.text(), content);
  mapped.release(mapped.bytes());
  mapped.release(mapped.bytes().subspan(1, 5));
  mapped.release(mapped.bytes().subspan(5000, 90'000));
  mapped.release({});
  EXPECT_EQ(mapped.text(), content);
}

// Bytes of the mapping that holds `address` which are in memory, of /proc/self/smaps.
std::size_t resident_bytes(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0, kilobytes = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      inside = begin <= wanted && wanted < end;
    } else if (inside && std::sscanf(line.c_str(), "Rss: %lu kB", &kilobytes) == 1) {
      return kilobytes * 1024;
    }
  }
  return 0;
}

TEST_F(MappedFileTest, ReleasedPartsLeaveMemory) {
  const std::string content(4 << 20, 'x');
  const MappedFile mapped(file(content));
  EXPECT_EQ(mapped.text(), content);
  const std::size_t before = resident_bytes(mapped.bytes().data());
  if (before < content.size()) GTEST_SKIP() << "this kernel does not tell what is resident";
  mapped.release(mapped.bytes().first(3 << 20));
  EXPECT_LE(resident_bytes(mapped.bytes().data()), content.size() - (3 << 20));
}

}  // namespace
}  // namespace lambert
