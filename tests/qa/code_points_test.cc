#include "qa/code_points.h"

#include <gtest/gtest.h>

#include "base/utf8.h"
#include "qa/offsets.h"

namespace lambert::test {
namespace {

// Code points of 1 to 4 bytes, over more than one sample of the index.
TEST(CodePointIndexTest, FindsEveryCodePoint) {
  std::string text;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < 1500; ++i) {
    places.push_back(text.size());
    append_utf8(std::u32string_view(U"aé€😀b")[i * i % 5], text);
  }
  const CodePointIndex index(text);
  ASSERT_EQ(index.size(), places.size());
  for (std::size_t i = 0; i < places.size(); ++i) ASSERT_EQ(index.byte(i), places[i]);
  EXPECT_EQ(index.byte(1500), text.size());
  EXPECT_EQ(index.byte(1U << 31), text.size());
  EXPECT_EQ(index.slice(254, 258), text.substr(places[254], places[258] - places[254]));
  EXPECT_EQ(index.slice(1499, 9999), text.substr(places[1499]));
  EXPECT_EQ(index.slice(5, 5), "");
  EXPECT_EQ(index.slice(5, 4), "");
}

TEST(CodePointIndexTest, AsciiAndEmptyText) {
  EXPECT_EQ(CodePointIndex("abc").slice(1, 3), "bc");
  EXPECT_EQ(CodePointIndex("").size(), 0U);
  EXPECT_EQ(CodePointIndex("").slice(0, 1), "");
}

TEST(OffsetsTest, AreConvertedInAnyOrder) {
  const std::string text = "aé€😀b";
  const std::vector<Answer> answers = {{"b", 3, 4, 5}, {"", 2, 0, 0}, {"é€😀", 1, 1, 4}};
  std::vector<Answer> bytes = answers, units = answers, same = answers;
  convert_offsets(text, OffsetType::kUtf8, bytes);
  convert_offsets(text, OffsetType::kUtf16, units);
  convert_offsets(text, OffsetType::kCodePoint, same);
  const auto offsets = [](const std::vector<Answer>& all) {
    std::vector<std::size_t> values;
    for (const Answer& answer : all) values.insert(values.end(), {answer.start, answer.end});
    return values;
  };
  EXPECT_EQ(offsets(bytes), (std::vector<std::size_t>{10, 11, 0, 0, 1, 10}));
  EXPECT_EQ(offsets(units), (std::vector<std::size_t>{5, 6, 0, 0, 1, 5}));
  EXPECT_EQ(offsets(same), offsets(answers));
}

TEST(OffsetsTest, BehindTheTextBecomeItsEnd) {
  std::vector<Answer> answers = {{"", 0, 1, 99}};
  convert_offsets("é!", OffsetType::kUtf8, answers);
  EXPECT_EQ(answers[0].start, 2U);
  EXPECT_EQ(answers[0].end, 3U);
}

}  // namespace
}  // namespace lambert::test
