#include "qa/windows.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>

namespace lambert::test {
namespace {

// [CLS] question [SEP] context [SEP] over ids that the test chooses.
class FakeTokenizer final : public Tokenizer {
 public:
  explicit FakeTokenizer(bool context_first = false) {
    using Kind = TemplatePiece::Kind;
    const Kind first = context_first ? Kind::kContext : Kind::kQuestion;
    const Kind second = context_first ? Kind::kQuestion : Kind::kContext;
    if (!context_first) pair_template_.push_back({Kind::kSpecial, kCls, 0});
    pair_template_.push_back({first, 0, 0});
    pair_template_.push_back({Kind::kSpecial, kSep, 0});
    pair_template_.push_back({second, 0, 1});
    pair_template_.push_back({Kind::kSpecial, kSep, 1});
    if (context_first) pair_template_.push_back({Kind::kSpecial, kCls, 2});
    cls_id_ = kCls;
  }
  Encoding encode(std::string_view) const override { return {}; }
  std::size_t vocab_size() const override { return 0; }
  std::string_view token(std::int32_t) const override { return ""; }
  std::string pack() const override { return ""; }

  static constexpr std::int32_t kCls = 101, kSep = 102;
};

Encoding tokens(std::int32_t first, std::size_t count) {
  Encoding encoding;
  for (std::size_t i = 0; i < count; ++i) {
    encoding.ids.push_back(first + static_cast<std::int32_t>(i));
  }
  return encoding;
}

// Room for `width` context tokens beside 3 special tokens and no question.
ResolvedParameters shape(std::size_t width, std::size_t doc_stride) {
  ResolvedParameters parameters;
  parameters.max_seq_len = width + 3;
  parameters.doc_stride = doc_stride;
  return parameters;
}

using Ranges = std::vector<std::pair<std::size_t, std::size_t>>;

Ranges ranges(std::size_t context_tokens, std::size_t width, std::size_t doc_stride) {
  const WindowPlan plan = plan_windows(0, context_tokens, 3, shape(width, doc_stride));
  Ranges ranges;
  for (std::size_t k = 0; k < plan.count; ++k) ranges.push_back({plan.begin(k), plan.end(k)});
  return ranges;
}

template <typename Call>
std::string message_of(ErrorCode code, const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

// What tokenizers 0.22 gives for 10 tokens in windows of 4.
TEST(WindowsTest, RangesAreThoseOfTokenizers) {
  EXPECT_EQ(ranges(10, 4, 2), (Ranges{{0, 4}, {2, 6}, {4, 8}, {6, 10}}));
  EXPECT_EQ(ranges(10, 4, 0), (Ranges{{0, 4}, {4, 8}, {8, 10}}));
  EXPECT_EQ(ranges(10, 4, 3).size(), 7U);
  EXPECT_EQ(ranges(4, 4, 3), (Ranges{{0, 4}}));
  EXPECT_EQ(ranges(5, 4, 3), (Ranges{{0, 4}, {1, 5}}));
  EXPECT_EQ(ranges(0, 4, 0), (Ranges{{0, 0}}));
}

// A loop that stops at windows * doc_stride >= tokens misses the end when the overlap is large.
TEST(WindowsTest, LargeOverlapDoesNotLoseTheTail) {
  EXPECT_EQ(ranges(100, 20, 15).back(), (std::pair<std::size_t, std::size_t>{80, 100}));
  EXPECT_EQ(ranges(101, 20, 19).back(), (std::pair<std::size_t, std::size_t>{81, 101}));
}

// width - doc_stride must not underflow.
TEST(WindowsTest, OverlapOfTheWholeWindowIsRefused) {
  for (const std::size_t stride : {4U, 5U, 7U}) {
    const std::string message =
        message_of(ErrorCode::kInvalidArgument, [&] { plan_windows(0, 10, 3, shape(4, stride)); });
    EXPECT_NE(message.find("doc_stride is " + std::to_string(stride)), std::string::npos)
        << message;
    EXPECT_NE(message.find("the 4 context tokens"), std::string::npos) << message;
  }
  EXPECT_EQ(plan_windows(0, 4, 3, shape(4, 7)).count, 1U);  // no second window, no overlap
}

TEST(WindowsTest, QuestionWithoutRoomForContextIsRefusedWithTheNumbers) {
  ResolvedParameters parameters = shape(0, 0);
  parameters.max_seq_len = 32;
  for (const std::size_t question : {29U, 30U, 1000U}) {
    const std::string message =
        message_of(ErrorCode::kInvalidInput, [&] { plan_windows(question, 1, 3, parameters); });
    EXPECT_NE(message.find(std::to_string(question) + " tokens"), std::string::npos) << message;
    EXPECT_NE(message.find("windows of 32 tokens"), std::string::npos) << message;
  }
  EXPECT_EQ(plan_windows(29, 0, 3, parameters).count, 1U);
  EXPECT_EQ(plan_windows(28, 9, 3, parameters).count, 9U);
}

TEST(WindowsTest, MaxQuestionLenCutsTheQuestionButNotInModeHf) {
  ResolvedParameters parameters;
  EXPECT_EQ(plan_windows(100, 50, 3, parameters).question_tokens, 100U);
  for (const Mode mode : {Mode::kSquad, Mode::kCalibrated}) {
    parameters.mode = mode;
    const WindowPlan plan = plan_windows(100, 50, 3, parameters);
    EXPECT_EQ(plan.question_tokens, 64U);
    EXPECT_EQ(plan.tokens(0), 64U + 50U + 3U);
    EXPECT_EQ(plan_windows(10, 50, 3, parameters).question_tokens, 10U);
  }
}

TEST(WindowsTest, WindowsCoverTheContextInEqualStepsAndEndWithIt) {
  std::mt19937 random(7);
  for (int trial = 0; trial < 5000; ++trial) {
    const std::size_t width = 1 + random() % 40, stride = random() % width;
    const std::size_t context = random() % 300, question = random() % 20;
    ResolvedParameters parameters = shape(width, stride);
    parameters.max_seq_len += question;
    const WindowPlan plan = plan_windows(question, context, 3, parameters);
    ASSERT_GE(plan.count, 1U);
    ASSERT_EQ(plan.begin(0), 0U);
    ASSERT_EQ(plan.end(plan.count - 1), context);
    for (std::size_t k = 0; k < plan.count; ++k) {
      ASSERT_LE(plan.tokens(k), parameters.max_seq_len);
      if (k == 0) continue;
      ASSERT_EQ(plan.begin(k) + stride, plan.end(k - 1));  // the overlap
      ASSERT_LT(plan.end(k - 1), context);                 // none after the one at the end
    }
  }
}

TEST(WindowsTest, WindowIsLaidOutByTheTemplate) {
  const FakeTokenizer tokenizer;
  const Encoding question = tokens(10, 2), context = tokens(20, 5);
  ResolvedParameters parameters = shape(3, 1);
  parameters.max_seq_len += 2;
  const WindowPlan plan = plan_windows(2, 5, 3, parameters);
  ASSERT_EQ(plan.count, 2U);
  Window window;
  for (int again = 0; again < 2; ++again) {  // the window's memory is used again
    make_window(tokenizer, question, context, plan, 1, window);
    EXPECT_EQ(window.ids, (std::vector<std::int32_t>{101, 10, 11, 102, 22, 23, 24, 102}));
    EXPECT_EQ(window.type_ids, (std::vector<std::int32_t>{0, 0, 0, 0, 1, 1, 1, 1}));
    EXPECT_EQ(window.allowed, (std::vector<std::uint8_t>{1, 0, 0, 0, 1, 1, 1, 0}));
    EXPECT_EQ(window.context_begin, 4U);
    EXPECT_EQ(window.context_tokens, 3U);
    EXPECT_EQ(window.first_token, 2U);
    make_window(tokenizer, question, context, plan, 0, window);
  }
}

TEST(WindowsTest, ContextMayStandFirst) {
  const FakeTokenizer tokenizer(true);
  const WindowPlan plan = plan_windows(2, 3, 3, shape(10, 1));
  Window window;
  make_window(tokenizer, tokens(10, 2), tokens(20, 3), plan, 0, window);
  EXPECT_EQ(window.ids, (std::vector<std::int32_t>{20, 21, 22, 102, 10, 11, 102, 101}));
  EXPECT_EQ(window.allowed, (std::vector<std::uint8_t>{1, 1, 1, 0, 0, 0, 0, 1}));
  EXPECT_EQ(window.context_begin, 0U);
}

TEST(WindowsTest, TypedSpecialTokensAreTreatedAsThePipelineDoes) {
  const FakeTokenizer tokenizer;
  Encoding question, context;
  question.ids = {7, FakeTokenizer::kCls};
  context.ids = {8, FakeTokenizer::kSep, FakeTokenizer::kCls};
  Window window;
  make_window(tokenizer, question, context, plan_windows(2, 3, 3, shape(10, 1)), 0, window);
  // [CLS] wherever it stands, [SEP] within the context.
  EXPECT_EQ(window.allowed, (std::vector<std::uint8_t>{1, 0, 1, 0, 1, 1, 1, 0}));
}

TEST(WindowsTest, QuestionIsCutInTheWindow) {
  const FakeTokenizer tokenizer;
  ResolvedParameters parameters;
  parameters.mode = Mode::kSquad;
  parameters.max_question_len = 1;
  Window window;
  make_window(tokenizer, tokens(10, 3), tokens(20, 1), plan_windows(3, 1, 3, parameters), 0,
              window);
  EXPECT_EQ(window.ids, (std::vector<std::int32_t>{101, 10, 102, 20, 102}));
}

}  // namespace
}  // namespace lambert::test
