#include "checkpoint/bundle_writer.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/mapped_file.h"
#include "bundle_file.h"

namespace lambert {
namespace {

namespace fs = std::filesystem;

class BundleWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ / name; }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      found.push_back(entry.path().filename());
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) / ("bundle_writer_test." + std::to_string(::getpid()));
};

// Sections of all kinds of sizes, in pieces of all kinds of sizes.
void write_many(BundleWriter& writer) {
  std::string content;
  for (unsigned i = 0; i < 700'000; ++i) content += static_cast<char>(i * i >> 3 & 0xFF);
  std::uint32_t index = 0;
  for (const std::size_t size : {0UL, 1UL, 64UL, 65'535UL, 65'536UL, 262'144UL, 700'000UL}) {
    const std::string part = content.substr(0, size);
    writer.add(kData, index, as_file(part));
    writer.begin(kConf, 100 - index, size);
    for (std::size_t at = 0; at < size; at += 9'973) {
      writer.append(as_file(part).subspan(at, std::min<std::size_t>(9'973, size - at)));
    }
    writer.begin(section_kind("open"), index);
    writer.append(as_file(part));
    ++index;
  }
  writer.finish();
}

TEST_F(BundleWriterTest, FileAndMemoryAreTheSameAndReadBack) {
  std::string memory, again;
  BundleWriter to_memory(&memory, 21), once_more(&again, 21), to_file(path("m.lambert"), 21);
  write_many(to_memory);
  write_many(once_more);
  write_many(to_file);
  EXPECT_EQ(names(), std::vector<std::string>{"m.lambert"});
  EXPECT_EQ(memory, again);
  const MappedFile file(path("m.lambert"));
  EXPECT_TRUE(file.text() == memory);
  const Bundle bundle(file.bytes(), file.path());
  bundle.verify();
  ASSERT_EQ(bundle.sections(kData).size(), 7U);
  for (std::uint32_t i = 0; i < 7; ++i) {
    const auto bytes = bundle.get(kData, i);
    EXPECT_TRUE(as_text(bytes) == as_text(bundle.get(kConf, 100 - i)));
    EXPECT_TRUE(as_text(bytes) == as_text(bundle.get(section_kind("open"), i)));
    const auto place = [](auto view) { return reinterpret_cast<std::uintptr_t>(view.data()); };
    EXPECT_EQ(place(bytes) % (bytes.size() < 65'536 ? 64 : 4'096), 0U);
    EXPECT_EQ(place(bundle.get(section_kind("open"), i)) % 4'096, 0U);
  }
}

TEST_F(BundleWriterTest, FileAppearsOnlyWhenItIsComplete) {
  std::ofstream(path("m.lambert")) << "old";
  {
    BundleWriter writer(path("m.lambert"), 1);
    writer.add(kConf, 0, as_file("new"));
    EXPECT_EQ(names(), (std::vector<std::string>{"m.lambert", "m.lambert.partial"}));
  }
  EXPECT_EQ(names(), std::vector<std::string>{"m.lambert"});
  EXPECT_EQ(MappedFile(path("m.lambert")).text(), "old");
  const MappedFile old(path("m.lambert"));
  BundleWriter writer(path("m.lambert"), 1);
  writer.add(kConf, 0, as_file("new"));
  writer.finish();
  EXPECT_EQ(old.text(), "old");  // who has it mapped keeps it
  EXPECT_TRUE(is_bundle(MappedFile(path("m.lambert")).bytes()));
}

TEST_F(BundleWriterTest, RestOfAKilledProcessIsOverwritten) {
  std::ofstream(path("m.lambert.partial")) << std::string(10'000, 'x');
  BundleWriter(path("m.lambert"), 0).finish();
  EXPECT_EQ(names(), std::vector<std::string>{"m.lambert"});
  EXPECT_EQ(MappedFile(path("m.lambert")).bytes().size(), 64U);
}

TEST_F(BundleWriterTest, TwoWritersOfOneFile) {
  BundleWriter first(path("m.lambert"), 0);
  EXPECT_EQ(error_of([&] { BundleWriter(path("m.lambert"), 0); }, ErrorCode::kIo),
            path("m.lambert.partial") + ": is being written by another process");
  first.finish();
  EXPECT_EQ(names(), std::vector<std::string>{"m.lambert"});
}

TEST_F(BundleWriterTest, SymbolicLinksStay) {
  std::ofstream(path("target")) << "old";
  fs::create_symlink("target", path("m.lambert"));
  BundleWriter(path("m.lambert"), 0).finish();
  EXPECT_TRUE(fs::is_symlink(path("m.lambert")));
  EXPECT_TRUE(is_bundle(MappedFile(path("target")).bytes()));
}

TEST_F(BundleWriterTest, WhatCannotBeWritten) {
  EXPECT_EQ(error_of([&] { BundleWriter(folder_.string(), 0); }, ErrorCode::kIo),
            folder_.string() + ": is a directory, expected a regular file or a new name");
  EXPECT_EQ(error_of([&] { BundleWriter("/dev/null", 0); }, ErrorCode::kIo),
            "/dev/null: is not a file, expected a regular file or a new name");
  EXPECT_EQ(
      error_of([&] { BundleWriter(path("no/m.lambert"), 0); }, ErrorCode::kIo),
      path("no/m.lambert.partial") + ": cannot be opened for writing: No such file or directory");
}

// A limit on the size of files stands for a disk that is full.
TEST_F(BundleWriterTest, FullDiskLeavesNothing) {
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{100'000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  {
    BundleWriter writer(path("m.lambert"), 1);
    writer.begin(kData, 0);
    EXPECT_EQ(error_of([&] { writer.append(as_file(std::string(1 << 20, 'x'))); }, ErrorCode::kIo),
              path("m.lambert.partial") + ": cannot be written: File too large");
    error_of([&] { writer.finish(); }, ErrorCode::kInternal);
  }
  EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_TRUE(names().empty());
}

TEST_F(BundleWriterTest, TooManySections) {
  std::string memory;
  EXPECT_EQ(error_of([&] { BundleWriter(&memory, 16'385); }, ErrorCode::kLimitExceeded),
            "a packed model of 16385 sections, at most 16384 are possible");
  BundleWriter writer(&memory, kMaxBundleSections);
  for (std::uint32_t i = 0; i < kMaxBundleSections; ++i) writer.add(i % 7, i, as_file("x"));
  writer.finish();
  const Bundle bundle(as_file(memory), "m.lambert");
  bundle.verify();
  EXPECT_EQ(bundle.sections().size(), kMaxBundleSections);
  EXPECT_EQ(bundle.sections(6).size(), kMaxBundleSections / 7);
}

// What is wrong is refused as a defect, and nothing that was begun becomes a file.
TEST_F(BundleWriterTest, WrongUse) {
  const auto refused = [&](std::size_t sections, const auto& use) {
    BundleWriter writer(path("m.lambert"), sections);
    std::string message = error_of([&] { use(writer); }, ErrorCode::kInternal);
    error_of([&] { writer.finish(); }, ErrorCode::kInternal);
    EXPECT_TRUE(names().empty());
    return message;
  };
  EXPECT_EQ(refused(2,
                    [](BundleWriter& writer) {
                      writer.add(kConf, 0, {});
                      writer.add(kConf, 0, {});
                    }),
            "section conf 0 is written twice");
  EXPECT_EQ(refused(0, [](BundleWriter& writer) { writer.begin(kConf, 0); }),
            "section conf 0 is one more than announced");
  EXPECT_EQ(refused(1, [](BundleWriter& writer) { writer.finish(); }),
            "a bundle of 0 sections, but 1 were announced");
  EXPECT_EQ(refused(1,
                    [](BundleWriter& writer) {
                      writer.begin(kConf, 0, 5);
                      writer.append(as_file("four"));
                      writer.finish();
                    }),
            "section conf 0 has 4 bytes, but 5 were announced");
  EXPECT_EQ(refused(1, [](BundleWriter& writer) { writer.append({}); }),
            "bytes of no section are written to a bundle");
}

TEST_F(BundleWriterTest, NothingIsWrittenAfterTheEnd) {
  std::string memory;
  BundleWriter writer(&memory, 1);
  writer.add(kConf, 0, as_file("x"));
  writer.finish();
  const std::string before = memory;
  error_of([&] { writer.finish(); }, ErrorCode::kInternal);
  error_of([&] { writer.begin(kConf, 1); }, ErrorCode::kInternal);
  error_of([&] { writer.append(as_file("x")); }, ErrorCode::kInternal);
  EXPECT_EQ(memory, before);
}

}  // namespace
}  // namespace lambert
