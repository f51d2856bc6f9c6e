#include "eval/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "lambert/lambert.h"
#include "test_files.h"

namespace lambert {
namespace {

TEST(OutputFile, AppearsOnlyWhenFinished) {
  const TestDirectory directory;
  const std::string path = directory.write("out", "old");
  OutputFile file(path, Partial::kNew);
  file.append("a");
  file.append("b");
  EXPECT_EQ(read_all(path), "old");
  EXPECT_EQ(read_all(path + ".partial"), "a\nb\n");
  file.finish();
  EXPECT_EQ(read_all(path), "a\nb\n");
  EXPECT_FALSE(std::filesystem::exists(path + ".partial"));
}

TEST(OutputFile, PartialStaysWhereARunEndsEarly) {
  const TestDirectory directory;
  { OutputFile(directory / "out", Partial::kNew).append("a"); }
  EXPECT_FALSE(std::filesystem::exists(directory / "out"));
  EXPECT_EQ(read_all(directory / "out.partial"), "a\n");
  { OutputFile(directory / "out", Partial::kResume).append("b"); }
  EXPECT_EQ(read_all(directory / "out.partial"), "a\nb\n");
  { OutputFile(directory / "out", Partial::kNew).append("c"); }
  EXPECT_EQ(read_all(directory / "out.partial"), "c\n");
}

TEST(OutputFile, TornLastLineIsCut) {
  const TestDirectory directory;
  const std::string big(70000, 'x');
  for (const auto& [before, after] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {"a", ""},
                                                        {"a\n", "a\n"},
                                                        {"a\nb", "a\n"},
                                                        {"\n", "\n"},
                                                        {big, ""},
                                                        {"a\n" + big, "a\n"},
                                                        {big + "\n" + big, big + "\n"},
                                                        {big + "\n", big + "\n"}}) {
    directory.write("out.partial", before);
    OutputFile file(directory / "out", Partial::kResume);
    EXPECT_EQ(read_all(directory / "out.partial"), after) << before.size();
  }
}

TEST(OutputFile, TwoWritersAreRefused) {
  const TestDirectory directory;
  OutputFile first(directory / "out", Partial::kNew);
  first.append("a");
  EXPECT_THROW(OutputFile(directory / "out", Partial::kNew), Error);
  EXPECT_EQ(read_all(directory / "out.partial"), "a\n");
}

// A writer that opened the .partial just before another renamed it emptied the finished output.
TEST(OutputFile, AWriterThatComesWhileAnotherFinishesLeavesTheOutputWhole) {
  const TestDirectory directory;
  const std::string path = directory.write("out", "whole\n");
  std::atomic<bool> stop = false, torn = false;
  const auto write = [&] {
    for (int i = 0; i < 300 && !torn; ++i) {
      try {
        OutputFile file(path, Partial::kNew);
        file.append("whole");
        file.finish();
      } catch (const Error& error) {  // the other one has the lock
        EXPECT_EQ(error.code(), ErrorCode::kIo) << error.what();
        EXPECT_NE(std::string(error.what()).find("another process"), std::string::npos)
            << error.what();
      }
    }
  };
  std::thread reader([&] {
    while (!stop && !torn) torn = read_all(path) != "whole\n";
  });
  std::thread other(write);
  write();
  other.join();
  stop = true;
  reader.join();
  EXPECT_FALSE(torn);
}

TEST(OutputFile, DevicesAreWrittenDirectlyAndFullOnesFail) {
  EXPECT_EQ(renameable("/dev/full"), "");
  OutputFile file("/dev/full", Partial::kNew);
  EXPECT_EQ(file.partial_path(), "");
  try {
    file.append("a");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_NE(std::string(error.what()).find("/dev/full"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("No space left"), std::string::npos) << error.what();
  }
  EXPECT_FALSE(std::filesystem::exists("/dev/full.partial"));
}

// The file behind it was replaced, with all that it had.
TEST(OutputFile, WhatIsOpenAlreadyIsWrittenToWhereItStands) {
  const TestDirectory directory;
  const std::string log = directory.write("log", "old\n");
  const int fd = ::open(log.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  const std::string number = std::to_string(fd);
  std::filesystem::create_symlink("/dev/fd/" + number, directory / "link");
  std::string expected = "old\n";
  for (const std::string& path : {"/dev/fd/" + number, "/proc/self/fd/" + number,
                                  "/dev/../proc/self/./fd/" + number, directory / "link"}) {
    OutputFile file(path, Partial::kNew);
    file.append("new");
    file.finish();
    EXPECT_EQ(read_all(log), expected += "new\n") << path;
  }
  ::close(fd);
  EXPECT_EQ(open_descriptor("/dev/stdout"), 1);
  EXPECT_EQ(open_descriptor(log), std::nullopt);
  EXPECT_EQ(open_descriptor("/dev/fd/99999999999"), std::nullopt);
  EXPECT_EQ(open_descriptor(""), std::nullopt);
  EXPECT_THROW(OutputFile("/dev/fd/" + number, Partial::kNew), Error);
}

TEST(OutputFile, TheFileOfStandardErrorIsWrittenToWhereItStands) {
  const TestDirectory directory;
  const std::string log = directory.write("log", "old\n");
  const int saved = ::dup(STDERR_FILENO), fd = ::open(log.c_str(), O_WRONLY | O_APPEND);
  ::dup2(fd, STDERR_FILENO);
  OutputFile(log, Partial::kNew).append("new");
  ::dup2(saved, STDERR_FILENO);
  EXPECT_EQ(read_all(log), "old\nnew\n");
  ::close(saved);
  ::close(fd);
}

TEST(OutputFile, ATemporaryPartialGoesWhereARunEndsEarly) {
  const TestDirectory directory;
  { OutputFile(directory / "out", Partial::kTemporary).append("a"); }
  EXPECT_FALSE(std::filesystem::exists(directory / "out.partial"));
  {
    OutputFile file(directory / "out", Partial::kTemporary);
    file.finish();
    directory.write("out.partial", "of another");
  }
  EXPECT_TRUE(std::filesystem::exists(directory / "out"));
  EXPECT_TRUE(std::filesystem::exists(directory / "out.partial"));
}

TEST(OutputFile, SymbolicLinksStayLinks) {
  const TestDirectory directory;
  directory.write("target", "old");
  std::filesystem::create_symlink(directory / "target", directory / "link");
  OutputFile file(directory / "link", Partial::kNew);
  file.append("new");
  file.finish();
  EXPECT_TRUE(std::filesystem::is_symlink(directory / "link"));
  EXPECT_EQ(read_all(directory / "target"), "new\n");
}

TEST(OutputFile, MissingDirectoriesAreNamed) {
  const TestDirectory directory;
  try {
    OutputFile file(directory / "none/out", Partial::kNew);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_NE(std::string(error.what()).find("none/out.partial"), std::string::npos);
  }
}

}  // namespace
}  // namespace lambert
