#include "eval/batch.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>

#include "base/error.h"
#include "eval/squad_json.h"
#include "test_files.h"

namespace lambert {
namespace {

// Answers with the first word of the context; "bad" is an error. Counts what it was asked.
struct FakeEngine {
  std::size_t asked = 0;
  Submit submit() {
    return [this](Question question) -> Wait {
      ++asked;
      return [question]() -> Result {
        if (question.question == "bad") throw Error(ErrorCode::kInvalidInput, "bad question");
        const std::string word = question.context.substr(0, question.context.find(' '));
        Result result;
        for (std::int64_t k = 0; k < question.parameters.top_k; ++k) {
          result.answers.push_back({word, 0.5, 0, word.size()});
        }
        return result;
      };
    };
  }
};

const std::string kInput =
    "{\"id\":\"a\",\"question\":\"q\",\"context\":\"Ada wrote\"}\n"
    "\n"
    "{\"question\":\"q\",\"context\":\"Bob \\u00e4\"}\n"
    "{\"id\":7,\"question\":\"bad\",\"context\":\"x\"}\n"
    "not json\n"
    "{\"id\":\"\\u00e9\\n\",\"question\":\"q\",\"context\":\"C\xC3\xA9 \",\"top_k\":2}";

const std::string kOutput =
    "{\"id\":\"a\",\"answers\":[{\"answer\":\"Ada\",\"score\":0.5,\"start\":0,\"end\":3}]}\n"
    "{\"id\":3,\"answers\":[{\"answer\":\"Bob\",\"score\":0.5,\"start\":0,\"end\":3}]}\n"
    "{\"id\":7,\"error\":{\"code\":\"invalid_input\",\"message\":\"bad question\"}}\n"
    "{\"id\":5,\"error\":{\"code\":\"invalid_input\",\"message\":\"line 5: not valid JSON at byte "
    "0: syntax error\"}}\n"
    "{\"id\":\"\xC3\xA9\\n\",\"answers\":[{\"answer\":\"C\xC3\xA9\",\"score\":0.5,\"start\":0,"
    "\"end\":3},{\"answer\":\"C\xC3\xA9\",\"score\":0.5,\"start\":0,\"end\":3}]}\n";

struct BatchTest : testing::Test {
  TestDirectory directory;
  FakeEngine engine;
  BatchOptions options;

  void SetUp() override {
    options.input = directory.write("in.jsonl", kInput);
    options.output = directory / "out.jsonl";
  }
  BatchProgress run() { return run_batch(options, engine.submit()); }
  std::string refusal() {
    try {
      run();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << error.what();
      return error.what();
    }
    return "accepted";
  }
};

TEST_F(BatchTest, OneResultALineInOrderAndErrorsAsRecords) {
  const BatchProgress progress = run();
  EXPECT_EQ(read_all(options.output), kOutput);
  EXPECT_EQ(progress.done, 5U);
  EXPECT_EQ(progress.failed, 2U);
  EXPECT_EQ(progress.resumed, 0U);
  EXPECT_DOUBLE_EQ(progress.fraction, 1);
}

TEST_F(BatchTest, ResumesAtEveryByteOfATornPartial) {
  options.resume = true;
  for (std::size_t size = 0; size <= kOutput.size(); ++size) {
    std::filesystem::remove(options.output);
    directory.write("out.jsonl.partial", kOutput.substr(0, size));
    engine.asked = 0;
    const BatchProgress progress = run();
    EXPECT_EQ(read_all(options.output), kOutput) << size;
    EXPECT_EQ(progress.done, 5U) << size;
    EXPECT_EQ(progress.failed, 2U) << size;
    const auto end = kOutput.begin() + static_cast<std::ptrdiff_t>(size);
    EXPECT_EQ(progress.resumed, static_cast<std::size_t>(std::count(kOutput.begin(), end, '\n')));
  }
}

TEST_F(BatchTest, ResumeWithoutEarlierRunStartsAndAfterACompleteOneDoesNothing) {
  options.resume = true;
  run();
  EXPECT_EQ(read_all(options.output), kOutput);
  engine.asked = 0;
  const BatchProgress again = run();
  EXPECT_EQ(engine.asked, 0U);
  EXPECT_EQ(again.done, 5U);
  EXPECT_EQ(again.failed, 2U);
  EXPECT_EQ(again.resumed, 5U);
  EXPECT_EQ(read_all(options.output), kOutput);
}

TEST_F(BatchTest, ResultsOfAnotherInputAreRefused) {
  options.resume = true;
  directory.write("out.jsonl.partial", "{\"id\":\"b\",\"answers\":[]}\n");
  EXPECT_NE(refusal().find("out.jsonl.partial: line 1: is the result of id \"b\", but the input "
                           "has id \"a\" there"),
            std::string::npos)
      << refusal();
  directory.write("out.jsonl.partial", kOutput + "{\"id\":9,\"answers\":[]}\n");
  EXPECT_NE(refusal().find("more results than questions"), std::string::npos) << refusal();
  directory.write("out.jsonl.partial", std::string("\0\0\0\n", 4));
  EXPECT_NE(refusal().find("line 1: not valid JSON"), std::string::npos) << refusal();
  EXPECT_FALSE(std::filesystem::exists(options.output));
  std::filesystem::remove(directory / "out.jsonl.partial");
  directory.write("out.jsonl", "{\"id\":\"a\",\"answers\":[]}\n");
  EXPECT_NE(refusal().find("first 1 questions only"), std::string::npos) << refusal();
  EXPECT_EQ(read_all(options.output), "{\"id\":\"a\",\"answers\":[]}\n");
}

TEST_F(BatchTest, WithoutResumeAnOldPartialIsReplaced) {
  directory.write("out.jsonl.partial", "rubbish\n");
  run();
  EXPECT_EQ(read_all(options.output), kOutput);
}

TEST_F(BatchTest, OutputOverTheInputIsRefused) {
  options.output = options.input;
  EXPECT_NE(refusal().find("is the input file"), std::string::npos);
  std::filesystem::create_symlink(options.input, directory / "link");
  options.output = directory / "link";
  EXPECT_NE(refusal().find("is the input file"), std::string::npos);
  EXPECT_EQ(read_all(options.input), kInput);
}

// It was emptied before it was read.
TEST_F(BatchTest, InputThatIsThePartialOfTheOutputIsRefused) {
  options.input = directory.write("out.jsonl.partial", kInput);
  EXPECT_NE(refusal().find("where the results for --output are collected"), std::string::npos);
  std::filesystem::create_symlink(options.input, directory / "link");
  options.input = directory / "link";
  EXPECT_NE(refusal().find("where the results for --output are collected"), std::string::npos);
  EXPECT_EQ(read_all(directory / "out.jsonl.partial"), kInput);
}

// All of it was read into memory first. The file is sparse.
TEST_F(BatchTest, SquadJsonAboveTheLimitIsRefusedBeforeItIsRead) {
  options.input = directory.write("squad.json", R"({"data":[{"paragraphs":[)");
  std::filesystem::resize_file(options.input, kMaxSquadBytes + 1);
  try {
    run();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kLimitExceeded);
    EXPECT_NE(std::string(error.what()).find("more than"), std::string::npos) << error.what();
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  EXPECT_LT(static_cast<std::size_t>(usage.ru_maxrss) << 10, kMaxSquadBytes / 2);
}

TEST_F(BatchTest, ResumeNeedsAFile) {
  options.resume = true;
  options.output = "-";
  EXPECT_NE(refusal().find("--resume needs"), std::string::npos);
  options.output = "/dev/null";
  EXPECT_NE(refusal().find("--resume needs"), std::string::npos);
}

TEST_F(BatchTest, LongLinesBecomeErrorRecords) {
  options.max_line_bytes = 50;
  const BatchProgress progress = run();
  EXPECT_EQ(progress.done, 5U);
  EXPECT_EQ(progress.failed, 3U);
  EXPECT_NE(read_all(options.output).find("{\"id\":6,\"error\":{\"code\":\"limit_exceeded\""),
            std::string::npos)
      << read_all(options.output);
}

TEST_F(BatchTest, ADeviceThatIsFullEndsTheRunWithItsName) {
  options.output = "/dev/full";
  try {
    run();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_NE(std::string(error.what()).find("/dev/full"), std::string::npos);
  }
}

TEST_F(BatchTest, ADiskFullAtEveryByteLeavesNoOutputAndCanBeResumed) {
  // A limit on the size of files stands for the disk; writes beyond it fail with EFBIG.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  for (std::size_t room = 0; room < kOutput.size(); room += 3) {
    options.resume = false;
    rlimit limit = before;
    limit.rlim_cur = room;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    EXPECT_THROW(run(), Error) << room;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_FALSE(std::filesystem::exists(options.output)) << room;
    options.resume = true;
    run();
    EXPECT_EQ(read_all(options.output), kOutput) << room;
    std::filesystem::remove(options.output);
  }
}

TEST_F(BatchTest, SquadJsonIsToldByItsContent) {
  options.input = directory.write("dev.json", R"({
    "version": "1.1",
    "data": [{"paragraphs": [{"context": "Ada wrote", "qas": [
      {"id": "s1", "question": "Who?", "answers": []}, {"question": "bad", "answers": []}]}]}]})");
  const BatchProgress progress = run();
  EXPECT_EQ(progress.failed, 1U);
  EXPECT_EQ(
      read_all(options.output),
      "{\"id\":\"s1\",\"answers\":[{\"answer\":\"Ada\",\"score\":0.5,\"start\":0,\"end\":3}]}\n"
      "{\"id\":2,\"error\":{\"code\":\"invalid_input\",\"message\":\"bad question\"}}\n");
}

// It was that of the input read, which runs up to 512 questions ahead.
TEST_F(BatchTest, TheFractionIsThatOfTheQuestionsAnswered) {
  const std::string line = "{\"question\":\"q\",\"context\":\"Ada\"}\n";
  std::string lines, squad;
  for (int i = 0; i < 10; ++i) {
    lines += line;
    squad += std::string(i == 0 ? "" : ",") + R"({"question":"q"})";
  }
  squad = R"({"data":[{"paragraphs":[{"context":"Ada","qas":[)" + squad + "]}]}]}";
  for (const std::string& content : {lines, squad}) {
    options.input = directory.write("many", content);
    std::vector<double> fractions;
    options.progress = [&](const BatchProgress& now) { fractions.push_back(now.fraction); };
    run();
    ASSERT_EQ(fractions.size(), 10U);
    for (std::size_t i = 0; i < 10; ++i) {
      EXPECT_NEAR(fractions[i], static_cast<double>(i + 1) / 10, 1e-9);
    }
  }
}

// What was behind a line that had come in part, or behind a torn first line, waited for its end.
TEST_F(BatchTest, WholeLinesAreAnsweredBeforeTheRestOfAnotherIsWaitedFor) {
  const std::string good = "{\"id\":1,\"question\":\"q\",\"context\":\"Ada\"}\n";
  const std::vector<std::pair<std::string, std::size_t>> cases = {
      {good + "\n" + good + good.substr(0, 30), 2},
      {"{\"id\":1,\"ques\n", 1},
      {"{\"id\":1,\"question\"\n" + good, 2},
      {"{\"id\":1,\n", 1},
      {"[\n" + good + "{", 2}};
  for (const auto& [content, early] : cases) {
    TestPipe pipe;
    pipe.write(content);
    options.input = pipe.path();
    options.progress = [&](const BatchProgress& now) {
      if (now.done == early) pipe.close();
    };
    EXPECT_EQ(run().done, early + (content.back() == '\n' ? 0 : 1)) << content;
  }
}

// It ended the run.
TEST_F(BatchTest, AFirstLineWithDataIsALine) {
  for (const std::string bad : {R"({"data":[]})", R"({"data":[1],"x":2})"}) {
    options.input = directory.write("in.jsonl", bad + "\n" + kInput);
    const BatchProgress progress = run();
    EXPECT_EQ(progress.done, 6U) << bad;
    EXPECT_EQ(progress.failed, 3U) << bad;
  }
}

TEST_F(BatchTest, EmptyInputGivesEmptyOutput) {
  for (const char* content : {"", "\n\n", " "}) {
    options.input = directory.write("in.jsonl", content);
    EXPECT_EQ(run().done, 0U);
    EXPECT_TRUE(std::filesystem::exists(options.output));
    EXPECT_EQ(read_all(options.output), "");
  }
}

}  // namespace
}  // namespace lambert
