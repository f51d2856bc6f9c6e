#include "eval/output_file.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "lambert/lambert.h"
#include "test_files.h"

namespace lambert {
namespace {

TEST(OutputFile, AppearsOnlyWhenFinished) {
  const TestDirectory directory;
  const std::string path = directory.write("out", "old");
  OutputFile file(path, false);
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
  { OutputFile(directory / "out", false).append("a"); }
  EXPECT_FALSE(std::filesystem::exists(directory / "out"));
  EXPECT_EQ(read_all(directory / "out.partial"), "a\n");
  { OutputFile(directory / "out", true).append("b"); }
  EXPECT_EQ(read_all(directory / "out.partial"), "a\nb\n");
  { OutputFile(directory / "out", false).append("c"); }
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
    OutputFile file(directory / "out", true);
    EXPECT_EQ(read_all(directory / "out.partial"), after) << before.size();
  }
}

TEST(OutputFile, TwoWritersAreRefused) {
  const TestDirectory directory;
  OutputFile first(directory / "out", false);
  first.append("a");
  EXPECT_THROW(OutputFile(directory / "out", false), Error);
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
        OutputFile file(path, false);
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
  OutputFile file("/dev/full", false);
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

TEST(OutputFile, SymbolicLinksStayLinks) {
  const TestDirectory directory;
  directory.write("target", "old");
  std::filesystem::create_symlink(directory / "target", directory / "link");
  OutputFile file(directory / "link", false);
  file.append("new");
  file.finish();
  EXPECT_TRUE(std::filesystem::is_symlink(directory / "link"));
  EXPECT_EQ(read_all(directory / "target"), "new\n");
}

TEST(OutputFile, MissingDirectoriesAreNamed) {
  const TestDirectory directory;
  try {
    OutputFile file(directory / "none/out", false);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_NE(std::string(error.what()).find("none/out.partial"), std::string::npos);
  }
}

}  // namespace
}  // namespace lambert
