#include "eval/line_reader.h"

#include <gtest/gtest.h>

#include "lambert/lambert.h"
#include "test_files.h"

namespace lambert {
namespace {

struct Seen {
  std::size_t number;
  std::string text;
  bool too_long;
  bool operator==(const Seen&) const = default;
};

std::vector<Seen> lines_of(const std::string& content, std::size_t max_bytes = 100) {
  const TestDirectory directory;
  LineReader reader(directory.write("in", content), max_bytes);
  EXPECT_EQ(reader.bytes_total(), content.size());
  std::vector<Seen> seen;
  while (const auto line = reader.next()) {
    seen.push_back({line->number, std::string(line->text), line->too_long});
  }
  return seen;
}

TEST(LineReader, BlankLinesCountButAreNotGiven) {
  EXPECT_EQ(lines_of("a\n\n \t\r\nb\r\n\n"),
            (std::vector<Seen>{{1, "a", false}, {4, "b\r", false}}));
  EXPECT_TRUE(lines_of("").empty());
  EXPECT_TRUE(lines_of("\n\n").empty());
}

TEST(LineReader, LastLineNeedsNoLineEnd) {
  EXPECT_EQ(lines_of("a\nbc"), (std::vector<Seen>{{1, "a", false}, {2, "bc", false}}));
}

TEST(LineReader, ByteOrderMarkIsDroppedOnceOnly) {
  EXPECT_EQ(lines_of("\xEF\xBB\xBF"
                     "a\n\xEF\xBB\xBF"),
            (std::vector<Seen>{{1, "a", false}, {2, "\xEF\xBB\xBF", false}}));
}

TEST(LineReader, LinesAboveTheLimitAreSkippedWhole) {
  for (const std::size_t size : {5u, 6u, 65535u, 65536u, 65537u, 200000u}) {
    const std::string line(size, 'x');
    EXPECT_EQ(lines_of("abcd\n" + line + "\nef\n", 4),
              (std::vector<Seen>{{1, "abcd", false}, {2, "", true}, {3, "ef", false}}))
        << size;
    EXPECT_EQ(lines_of(line, 4), (std::vector<Seen>{{1, "", true}})) << size;
  }
}

TEST(LineReader, LinesOfEverySizeAroundTheBlockSurvive) {
  std::string content;
  for (std::size_t size = 65530; size < 65545; ++size) content += std::string(size, 'y') + "\n";
  const auto seen = lines_of(content, 70000);
  ASSERT_EQ(seen.size(), 15U);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i].text.size(), 65530 + i);
}

TEST(LineReader, MissingFilesAreNotFound) {
  const TestDirectory directory;
  try {
    LineReader reader(directory / "none", 10);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_NE(std::string(error.what()).find("none"), std::string::npos);
  }
}

TEST(LineReader, RestGivesWhatIsLeftUpToALimit) {
  const TestDirectory directory;
  const std::string path = directory.write("in", "a\nbc\nd");
  LineReader reader(path, 10);
  reader.next();
  EXPECT_EQ(reader.rest(4), "bc\nd");
  EXPECT_FALSE(reader.next());
  LineReader again(path, 10);
  EXPECT_THROW(again.rest(5), Error);
}

// It was ready as soon as there was anything to read, and then waited for the end of the line.
TEST(LineReader, IsReadyForAWholeLineOnly) {
  const TestPipe pipe;
  LineReader reader(pipe.path(), 10);
  EXPECT_FALSE(reader.ready());
  for (const std::string part : {"ab", "\n", "c"}) {
    pipe.write(part);
    EXPECT_EQ(reader.ready(), part[0] == '\n') << part;
    if (reader.ready()) {
      EXPECT_EQ(reader.next()->text, "ab");
    }
  }
}

TEST(LineReader, ALineThatIsTooLongIsGivenBeforeItEnds) {
  TestPipe pipe;
  LineReader reader(pipe.path(), 3);
  pipe.write("abcd");
  EXPECT_TRUE(reader.ready());
  EXPECT_TRUE(reader.next()->too_long);
  pipe.write("efgh");
  EXPECT_FALSE(reader.ready());
  pipe.write("i\n\njk\nl");
  EXPECT_TRUE(reader.ready());
  const auto line = reader.next();
  EXPECT_EQ(line->text, "jk");
  EXPECT_EQ(line->number, 3U);
  EXPECT_FALSE(reader.ready());
  pipe.close();
  EXPECT_TRUE(reader.ready());
  EXPECT_EQ(reader.next()->text, "l");
  EXPECT_TRUE(reader.ready());
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.bytes_given(), 15U);
}

}  // namespace
}  // namespace lambert
