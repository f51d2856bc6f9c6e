// lambert batch over the default model: streams, interruptions, full devices.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "process.h"
#include "test_files.h"

namespace lambert {
namespace {

std::string questions(int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) {
    std::string context = "In " + std::to_string(1800 + i) + " Ada Lovelace wrote part " +
                          std::to_string(i) + " of it.";
    for (int k = 0; k < i % 7; ++k) context += " It was long and of no use to anybody.";
    lines += "{\"id\":\"q" + std::to_string(i) + "\",\"question\":\"Who wrote part " +
             std::to_string(i) + "?\",\"context\":\"" + context + "\"}\n";
  }
  return lines;
}

Ended batch(std::vector<std::string> arguments, RunOptions options = {}) {
  arguments.insert(arguments.begin(), {"batch", "--model", kModel});
  return run(arguments, options);
}

TEST(BatchCommand, StandardInputToStandardOutput) {
  RunOptions options;
  options.input = questions(20);
  const Ended result = batch({}, options);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 20);
  EXPECT_EQ(result.out.find("{\"id\":\"q0\",\"answers\":[{\"answer\":\"Ada Lovelace\""), 0U);
  EXPECT_NE(result.err.find("lambert: 20 questions, 0 failed"), std::string::npos) << result.err;
  EXPECT_EQ(batch({"--quiet", "--input", "-", "--output", "-"}, options).err, "");
  options.environment = {"LAMBERT_THREADS=1"};
  EXPECT_EQ(batch({}, options).out, result.out);
}

TEST(BatchCommand, BadLinesBecomeRecordsAndExitCode6) {
  const TestDirectory directory;
  const std::string input = directory.write(
      "in",
      "\n{\"question\":\"\",\"context\":\"b\"}\n{\"question\":\"\\ud800\",\"context\":\"b\"}\n"
      "\xFF\n{\"id\":1.5,\"question\":\"a\",\"context\":\"\\u0000 b\"}\n"
      "{\"question\":\"a\",\"context\":\"b\",\"top_k\":0}\n");
  const Ended result = batch({"--input", input, "--output", directory / "out"});
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_NE(result.err.find("5 questions, 4 failed"), std::string::npos) << result.err;
  const std::string out = read_all(directory / "out");
  EXPECT_EQ(out.find("{\"id\":2,\"error\":{\"code\":\"invalid_input\""), 0U) << out;
  EXPECT_NE(out.find("{\"id\":3,\"error\":{\"code\":\"invalid_input\""), std::string::npos) << out;
  EXPECT_NE(out.find("{\"id\":4,\"error\":{\"code\":\"invalid_input\""), std::string::npos) << out;
  EXPECT_NE(out.find("{\"id\":1.5,\"answers\":["), std::string::npos) << out;
  EXPECT_NE(out.find("{\"id\":6,\"error\":{\"code\":\"invalid_argument\""), std::string::npos)
      << out;
}

// Sends `signal` to the program once the file at `path` has so many bytes, if it comes to that.
RunOptions signalled(int signal, const std::string& path, std::size_t bytes) {
  RunOptions options;
  options.meanwhile = [=](int pid, int) {
    struct stat status {};
    siginfo_t ended{};
    while (::stat(path.c_str(), &status) != 0 || static_cast<std::size_t>(status.st_size) < bytes) {
      // WNOWAIT: the program stays to be waited for by its owner.
      const int asked =
          ::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOHANG | WNOWAIT);
      if (asked != 0 || ended.si_pid == pid) return;  // done before, or failed
      std::this_thread::yield();
    }
    ::kill(pid, signal);
  };
  return options;
}

// They made every line an error record, over an earlier output.
TEST(BatchCommand, OptionsThatTheModelCannotTakeAreExitCode2) {
  const TestDirectory directory;
  const std::string input = directory.write("in", questions(2));
  const std::string out = directory.write("out", "earlier");
  const std::string squad = directory.write("dev.json", R"({"data":[{"paragraphs":[
      {"context":"Ada wrote it.","qas":[{"id":"1","question":"Who?","answers":[]}]}]}]})");
  for (std::vector<std::string> wrong : std::vector<std::vector<std::string>>{
           {"--max-seq-len", "1000"},
           {"--top-k", "5000"},
           {"--doc-stride", "400", "--max-seq-len", "384"},
           {"--mode", "squad", "--null-score-diff-threshold", "inf"}}) {
    std::vector<std::string> eval{"eval", squad, "--predictions", out, "--model", kModel};
    eval.insert(eval.end(), wrong.begin(), wrong.end());
    wrong.insert(wrong.end(), {"--input", input, "--output", out});
    EXPECT_EQ(batch(wrong).exit_code, 2) << testing::PrintToString(wrong);
    EXPECT_EQ(run(eval).exit_code, 2) << testing::PrintToString(eval);
    EXPECT_EQ(read_all(out), "earlier");
    EXPECT_FALSE(std::filesystem::exists(out + ".partial"));
  }
}

// Ends the program with `signal` at several places, goes on with --resume until it is done, and
// expects the bytes of a run that nobody disturbed.
void check_interruption(int signal, int exit_code) {
  const TestDirectory directory;
  const std::string input = directory.write("in", questions(120));
  const std::string whole = directory / "whole", out = directory / "out";
  ASSERT_EQ(batch({"--input", input, "--output", whole}).exit_code, 0);
  const std::string expected = read_all(whole);
  const std::vector<std::string> arguments{"--input", input, "--output", out, "--resume"};
  std::size_t killed = 0;
  for (const std::size_t share : {0u, 1u, 3u, 6u, 8u}) {
    const Ended result =
        batch(arguments, signalled(signal, out + ".partial", expected.size() * share / 10 + 1));
    if (result.exit_code == 0) break;
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_FALSE(std::filesystem::exists(out));
    ++killed;
  }
  EXPECT_GE(killed, 1U);
  ASSERT_EQ(batch(arguments).exit_code, 0);
  EXPECT_EQ(read_all(out), expected);
  EXPECT_FALSE(std::filesystem::exists(out + ".partial"));
}

TEST(BatchCommand, KilledAndResumedGivesTheSameBytes) {
  check_interruption(SIGKILL, 128 + SIGKILL);
}
TEST(BatchCommand, InterruptedAndResumedGivesTheSameBytes) {
  check_interruption(SIGINT, 130);
}

TEST(BatchCommand, ATerminationIsExitCode143) {
  const TestDirectory directory;
  const std::string input = directory.write("in", questions(120)), out = directory / "out";
  const Ended result =
      batch({"--input", input, "--output", out}, signalled(SIGTERM, out + ".partial", 0));
  EXPECT_EQ(result.exit_code, 128 + SIGTERM) << result.err;
}

// What nohup or a shell had set was overridden.
TEST(BatchCommand, AnInterruptIsIgnoredWhereItWasIgnoredAtTheStart) {
  const TestDirectory directory;
  const std::string input = directory.write("in", questions(10)), out = directory / "out";
  ::signal(SIGINT, SIG_IGN);  // inherited
  const Ended result =
      batch({"--input", input, "--output", out}, signalled(SIGINT, out + ".partial", 0));
  ::signal(SIGINT, SIG_DFL);
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

// The output took the place of the closed descriptor and got reports among its lines.
TEST(BatchCommand, ClosedDescriptorsAreNotTakenByTheOutput) {
  const TestDirectory directory;
  const std::string input = directory.write("in", questions(3)), out = directory / "out";
  ASSERT_EQ(batch({"--input", input, "--output", out}).exit_code, 0);
  const std::string expected = read_all(out);
  for (const std::vector<int>& closed :
       std::vector<std::vector<int>>{{0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}}) {
    RunOptions options;
    options.closed = closed;
    EXPECT_EQ(batch({"--input", input, "--output", out}, options).exit_code, 0);
    EXPECT_EQ(read_all(out), expected) << testing::PrintToString(closed);
  }
  RunOptions options;
  options.closed = {0};
  const Ended result = batch({}, options);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.err.find("standard input: cannot be read"), std::string::npos) << result.err;
}

// The summary ended it, after all was done.
TEST(BatchCommand, AReaderOfStandardErrorThatLeftChangesNothing) {
  const TestDirectory directory;
  RunOptions options;
  options.close_err = true;
  const std::string input = directory.write("in", questions(3)), out = directory / "out";
  EXPECT_EQ(batch({"--input", input, "--output", out}, options).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(out));
}

TEST(BatchCommand, AReaderThatLeavesEndsItQuietly) {
  RunOptions options;
  options.input = questions(200);
  options.close_out = true;
  const Ended result = batch({}, options);
  EXPECT_EQ(result.exit_code, 141);
  EXPECT_EQ(result.err, "");
}

TEST(BatchCommand, FullDevicesAndUnwritableDirectoriesAreExitCode1) {
  const TestDirectory directory;
  const std::string input = directory.write("in", questions(3));
  const Ended full = batch({"--input", input, "--output", "/dev/full"});
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_NE(full.err.find("/dev/full: cannot be written: No space left"), std::string::npos);
  const Ended none = batch({"--input", input, "--output", directory / "none/out"});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_EQ(batch({"--input", directory / "none"}).exit_code, 1);
  EXPECT_EQ(batch({"--input", input, "--output", input}).exit_code, 2);
  EXPECT_EQ(batch({"--input", input, "--resume"}).exit_code, 2);
}

// The file was replaced.
TEST(BatchCommand, TheDeviceOfStandardOutputIsStandardOutput) {
  const TestDirectory directory;
  RunOptions options;
  options.input = questions(2);
  options.out_path = directory.write("log", std::string(10000, 'x'));
  EXPECT_EQ(batch({"--output", "/dev/stdout"}, options).exit_code, 0);
  const std::string log = read_all(options.out_path);
  EXPECT_EQ(log.find("{\"id\":\"q0\""), 0U);
  EXPECT_EQ(log.size(), 10000U);
  EXPECT_EQ(batch({"--output", "/dev/stdout", "--resume"}, options).exit_code, 2);
}

TEST(BatchCommand, NoHomeIsNeeded) {
  RunOptions options;
  options.input = questions(2);
  options.environment = {"HOME=/proc/nonexistent", "XDG_CACHE_HOME=/proc/nonexistent",
                         "TMPDIR=/proc/nonexistent"};
  EXPECT_EQ(batch({}, options).exit_code, 0);
}

TEST(BatchCommand, AnswersEachQuestionWhileItsWriterWaits) {
  // A coprocess: the second question is written only after the first answer was read.
  int in[2], out_pipe[2];
  ASSERT_EQ(::pipe(in), 0);
  ASSERT_EQ(::pipe(out_pipe), 0);
  for (const int fd : {in[1], out_pipe[0]}) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  const std::string command = std::string(LAMBERT_PROGRAM) + " batch -q --model '" + kModel +
                              "' <&" + std::to_string(in[0]) + " >&" + std::to_string(out_pipe[1]);
  std::FILE* shell = ::popen(command.c_str(), "r");
  ::close(in[0]);
  ::close(out_pipe[1]);
  std::FILE* answers = ::fdopen(out_pipe[0], "r");
  for (const std::string id : {"q0", "q1"}) {
    const std::string line =
        "{\"id\":\"" + id + "\",\"question\":\"Who?\",\"context\":\"Ada wrote it.\"}\n";
    ASSERT_EQ(::write(in[1], line.data(), line.size()), static_cast<ssize_t>(line.size()));
    char answer[512];
    ASSERT_NE(std::fgets(answer, sizeof answer, answers), nullptr);
    EXPECT_EQ(std::string(answer).find("{\"id\":\"" + id + "\",\"answers\""), 0U) << answer;
  }
  ::close(in[1]);
  std::fclose(answers);
  EXPECT_EQ(::pclose(shell), 0);
}

}  // namespace
}  // namespace lambert
