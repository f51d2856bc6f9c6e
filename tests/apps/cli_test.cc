// What needs no model: usage, help, exit codes, errors.
#include <gtest/gtest.h>

#include "base/json.h"
#include "process.h"
#include "test_files.h"

namespace lambert {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Cli, WithoutACommandHelpAndExitCode2) {
  const Ended result = run({});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_TRUE(contains(result.out, "Subcommands:"));
  EXPECT_TRUE(contains(result.out, "Exit codes:"));
}

TEST(Cli, EveryCommandHasHelpWithExamples) {
  const Ended all = run({"--help"});
  EXPECT_EQ(all.exit_code, 0);
  EXPECT_EQ(all.err, "");
  for (const char* command : {"ask", "batch", "eval", "tokenize", "inspect", "doctor", "version",
                              "logits", "archive", "package", "push", "pull", "verify"}) {
    const Ended help = run({command, "--help"});
    EXPECT_EQ(help.exit_code, 0) << command;
    EXPECT_TRUE(contains(help.out, "Usage: lambert " + std::string(command))) << help.out;
    EXPECT_TRUE(contains(help.out, "Example")) << command;
    EXPECT_TRUE(contains(help.out, "lambert " + std::string(command))) << command;
    EXPECT_EQ(contains(all.out, "  " + std::string(command) + "  "),
              std::string(command) != "logits");
  }
}

TEST(Cli, ANetworkThatFailsIsExitCode4) {
  RunOptions options;
  options.environment = {"AWS_ENDPOINT_URL_S3=http://127.0.0.1:1", "AWS_ACCESS_KEY_ID=a",
                         "AWS_SECRET_ACCESS_KEY=canary"};
  const Ended result = run({"pull", "s3://bucket/key", "-o", testing::TempDir()}, options);
  EXPECT_EQ(result.exit_code, 4) << result.err;
  EXPECT_TRUE(contains(result.err, "http://127.0.0.1:1: ")) << result.err;
  EXPECT_FALSE(contains(result.err, "canary"));
}

TEST(Cli, UrisOfOtherKindsAreExitCode2) {
  const std::vector<std::vector<std::string>> wrong = {
      {"pull", "gs://bucket/key"},
      {"pull", "models"},
      {"push", LAMBERT_SOURCE_DIR "/LICENSE", "https://example.com/x"},
      {"ask", "--question", "a", "--context", "b", "--model", "http://example.com/model"}};
  for (const auto& arguments : wrong) {
    const Ended result = run(arguments);
    EXPECT_EQ(result.exit_code, 2) << testing::PrintToString(arguments) << result.err;
    EXPECT_TRUE(contains(result.err, "expected") || contains(result.err, "https")) << result.err;
  }
}

TEST(Cli, WrongUsageIsExitCode2WithAHint) {
  const std::vector<std::vector<std::string>> wrong = {
      {"nonsense"},
      {"--nonsense"},
      {"ask"},
      {"ask", "--question", "a", "--context", "b", "--top-k", "0"},
      {"ask", "--question", "a", "--context", "b", "--top-k", "x"},
      {"ask", "--question", "a", "--context", "b", "--top-k"},
      {"ask", "--question", "a", "--context", "b", "--doc-stride", "-1"},
      {"ask", "--question", "a", "--context", "b", "--max-answer-len", "0"},
      {"ask", "--question", "a", "--context", "b", "--mode", "best"},
      {"ask", "--question", "a", "--context", "b", "--offset-type", "bytes"},
      {"ask", "--question", "a", "--context", "b", "--context-file", "c"},
      {"ask", "--question", "a", "--context", "b", "--threads", "-1"},
      {"ask", "--question", "a", "b"},
      {"batch", "--max-line-bytes", "0"},
      {"eval"},
      {"package"},
      {"tokenize", "--pair", "a"},
      {"tokenize", "a", "b"}};
  for (const auto& arguments : wrong) {
    const Ended result = run(arguments);
    EXPECT_EQ(result.exit_code, 2) << testing::PrintToString(arguments);
    EXPECT_EQ(result.out, "") << testing::PrintToString(arguments);
    EXPECT_EQ(result.err.find("lambert: "), 0U) << result.err;
    EXPECT_TRUE(contains(result.err, "--help)")) << result.err;
  }
}

TEST(Cli, VersionNeedsNoModel) {
  const TestDirectory directory;
  RunOptions options;
  options.environment = {"LAMBERT_MODEL=" + (directory / "none"), "HOME=/nonexistent"};
  const Ended result = run({"version", "--json"}, options);
  EXPECT_EQ(result.exit_code, 0);
  const auto value = parse_json(result.out, "version", ErrorCode::kInternal);
  EXPECT_EQ(value.at("version").as_string(), LAMBERT_VERSION);
  EXPECT_EQ(value.at("isas").as_array().at(0).as_string(), "scalar");
  EXPECT_EQ(run({"--version"}).out, "lambert " LAMBERT_VERSION "\n");
  EXPECT_TRUE(contains(run({"version"}).out, "selected: "));
}

TEST(Cli, TheInstructionSetCanBeForcedAndUnknownOnesAreErrors) {
  RunOptions options;
  options.environment = {"LAMBERT_ISA=scalar"};
  EXPECT_TRUE(contains(run({"version"}, options).out, "selected: scalar\n"));
  options.environment = {"LAMBERT_ISA=mmx"};
  const Ended result = run({"version"}, options);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_TRUE(contains(result.err, "mmx"));
}

TEST(Cli, ModelsThatAreNoneAreExitCode3) {
  const TestDirectory directory;
  const std::string file = directory.write("file", "x");
  for (const std::string& path : {directory / "none", directory / ".", file}) {
    const Ended result = run({"ask", "-q", "a", "-c", "b", "--json", "--model", path});
    EXPECT_EQ(result.exit_code, 3) << path;
    EXPECT_EQ(result.err.find("lambert: "), 0U) << result.err;
    const auto value = parse_json(result.out, "out", ErrorCode::kInternal);
    EXPECT_FALSE(value.at("error").at("code").as_string().empty());
    EXPECT_EQ(run({"inspect", path}).exit_code, 3) << path;
    const Ended doctor = run({"doctor", "--model", path});
    EXPECT_EQ(doctor.exit_code, 3) << path;
    EXPECT_TRUE(contains(doctor.out, "\nFAIL  ")) << doctor.out;
  }
}

// It showed none where the model was the trouble.
TEST(Cli, DoctorShowsTheInstructionSetWithoutAModel) {
  const TestDirectory directory;
  const Ended forced = run({"doctor", "--isa", "scalar", "--model", directory / "none"});
  EXPECT_TRUE(contains(forced.out, "\nOK    instruction set: scalar (of scalar")) << forced.out;
  const Ended unknown = run({"doctor", "--isa", "mmx", "--model", directory / "none"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_TRUE(contains(unknown.out, "\nFAIL  instruction set: \"mmx\": expected one of scalar"));
}

TEST(Cli, TheModelOptionGoesBeforeTheVariable) {
  const TestDirectory directory;
  RunOptions options;
  options.environment = {"LAMBERT_MODEL=" + (directory / "of-variable")};
  const Ended variable = run({"ask", "-q", "a", "-c", "b"}, options);
  EXPECT_TRUE(contains(variable.err, "of-variable")) << variable.err;
  const Ended option =
      run({"ask", "-q", "a", "-c", "b", "--model", directory / "of-option"}, options);
  EXPECT_TRUE(contains(option.err, "of-option")) << option.err;
}

TEST(Cli, FullDevicesAreReported) {
  RunOptions options;
  options.out_path = "/dev/full";
  for (const auto& arguments : std::vector<std::vector<std::string>>{{"--help"}, {"version"}}) {
    const Ended result = run(arguments, options);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(contains(result.err, "standard output: cannot be written: No space left"));
  }
}

TEST(Cli, AClosedStandardOutputEndsQuietly) {
  RunOptions options;
  options.close_out = true;
  const Ended result = run({"--help"}, options);
  EXPECT_EQ(result.exit_code, 141);
  EXPECT_EQ(result.err, "");
}

// Each report that could not be written was one more line.
TEST(Cli, AnErrorIsOneLineAlsoWhereStandardOutputIsFull) {
  RunOptions options;
  options.environment = {"LAMBERT_MODEL=" LAMBERT_SOURCE_DIR "/models/distilbert-minilm-squad"};
  options.out_path = "/dev/full";
  for (const char* question : {"Who?", ""}) {
    const Ended result = run({"ask", "-q", question, "-c", "Ada", "--json"}, options);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.err.find("lambert: "), 0U);
    EXPECT_EQ(result.err.find('\n'), result.err.size() - 1) << result.err;
  }
}

// A closed one was a free place for the next file; a reader that left ended the program.
TEST(Cli, WithoutStandardErrorTheExitCodeStillTells) {
  RunOptions unread, closed, no_out;
  unread.close_err = true;
  closed.closed = {2};
  for (const RunOptions& options : {unread, closed}) {
    EXPECT_EQ(run({"ask", "-q", "a", "--context-file", "/proc/none"}, options).exit_code, 1);
    EXPECT_EQ(run({"nonsense"}, options).exit_code, 2);
  }
  no_out.closed = {1};
  const Ended result = run({"version"}, no_out);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(contains(result.err, "standard output: cannot be written")) << result.err;
}

TEST(Cli, NumbersThatAreNoneSayWhatIsExpected) {
  const auto complaint = [](const std::vector<std::string>& arguments,
                            const std::vector<std::string>& environment = {}) {
    RunOptions options;
    options.environment = environment;
    const Ended result = run(arguments, options);
    EXPECT_EQ(result.exit_code, 2) << testing::PrintToString(arguments);
    return result.err;
  };
  const std::vector<std::string> ask = {"ask", "--question", "a", "--context", "b"};
  const auto with = [&](const char* name, const char* value) {
    std::vector<std::string> arguments = ask;
    arguments.insert(arguments.end(), {name, value});
    return arguments;
  };
  EXPECT_TRUE(contains(complaint(with("--threads", "abc")), "--threads: must be a whole number"));
  EXPECT_TRUE(contains(complaint(with("--threads", "-1")), "--threads: must be at least 0"));
  EXPECT_TRUE(contains(complaint(with("--threads", "999")), "--threads: must be at most 256"));
  EXPECT_TRUE(contains(complaint(with("--score-threshold", "x")), "must be a number, found \"x\""));
  EXPECT_TRUE(contains(complaint({"eval", "f", "--limit", "0"}), "--limit: must be at least 1"));
  EXPECT_TRUE(contains(complaint({"batch", "--max-line-bytes", "x"}), "must be a whole number"));
  EXPECT_TRUE(contains(complaint(ask, {"LAMBERT_THREADS=abc"}), "must be a whole number"));
}

// 0100 was 64.
TEST(Cli, ALeadingZeroDoesNotMakeANumberOctal) {
  const auto complaint = [](const char* name, const char* value) {
    return run({"ask", "-q", "a", "-c", "b", "--model", "/none", name, value}).err;
  };
  EXPECT_TRUE(contains(complaint("--threads", "0400"), "must be at most 256, found \"0400\""));
  EXPECT_TRUE(contains(complaint("--threads", "0256"), "/none"));
  EXPECT_TRUE(contains(complaint("--threads", "08"), "/none"));
  EXPECT_TRUE(contains(complaint("--top-k", "0x10"), "must be a whole number, found \"0x10\""));
  EXPECT_TRUE(contains(complaint("--top-k", "3 "), "must be a whole number, found \"3 \""));
  EXPECT_TRUE(contains(complaint("--top-k", "9223372036854775808"),
                       "must be at most 9223372036854775807, found"));
  EXPECT_TRUE(contains(complaint("--doc-stride", "-9223372036854775809"), "must be at least 0"));
}

// Nothing in the message said what was empty.
TEST(Cli, AFileWithoutANameIsWrongUsage) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {"--input", {"batch", "--input", ""}},
      {"--output", {"batch", "--output="}},
      {"--context-file", {"ask", "-q", "a", "--context-file", ""}},
      {"--predictions", {"eval", "dev.json", "--predictions", ""}},
      {"file", {"eval", ""}}};
  for (const auto& [name, arguments] : cases) {
    const Ended result = run(arguments);
    EXPECT_EQ(result.exit_code, 2) << name;
    EXPECT_TRUE(contains(result.err, name + ": must be the name of a file, found \"\""))
        << result.err;
  }
}

// CLI11 took --json for the context.
TEST(Cli, AnEmptyValueBehindAnEqualsSignDoesNotSwallowTheNextArgument) {
  RunOptions options;
  options.environment = {"LAMBERT_MODEL=" LAMBERT_SOURCE_DIR "/models/distilbert-minilm-squad"};
  const Ended result = run({"ask", "-q", "Who?", "--context=", "--json"}, options);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(contains(result.err, "context")) << result.err;
  EXPECT_TRUE(contains(result.out, "\"invalid_input\"")) << result.out;
}

// They were mixed with the figures.
TEST(Cli, EvalRefusesPredictionsOnStandardOutput) {
  const Ended result = run({"eval", "none.json", "--json", "--predictions", "-"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_TRUE(contains(result.err, "--predictions: must be a file")) << result.err;
}

constexpr const char* kSquad =
    R"({"data":[{"paragraphs":[{"context":"b","qas":[{"id":"1","question":"a","answers":[]}]}]}]})";

// It was replaced, and a later failure left an empty .partial.
TEST(Cli, EvalDoesNotWriteOverTheDataSetAndLeavesNoPartial) {
  const TestDirectory directory;
  const std::string file = directory.write("squad.json", kSquad);
  const auto eval = [&](const std::string& predictions) {
    return run({"eval", file, "--predictions", predictions, "--model", directory / "none"});
  };
  const Ended over = eval(file);
  EXPECT_EQ(over.exit_code, 2);
  EXPECT_TRUE(contains(over.err, "--predictions is the input file")) << over.err;
  EXPECT_EQ(read_all(file), kSquad);
  EXPECT_EQ(eval("/dev/stdout").exit_code, 2);
  EXPECT_EQ(eval(directory / "out").exit_code, 3);
  EXPECT_FALSE(std::filesystem::exists(directory / "out.partial"));
}

// It printed what the variable names.
TEST(Cli, InspectShowsTheDirectoryGivenAlsoWhereTheVariableIsSet) {
  const TestDirectory directory;
  RunOptions options;
  options.environment = {"LAMBERT_MODEL=" LAMBERT_SOURCE_DIR "/models/distilbert-minilm-squad"};
  const Ended result = run({"inspect", directory / "none"}, options);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(contains(result.err, directory / "none")) << result.err;
}

// It was found out when all questions were answered.
TEST(Cli, EvalRefusesPredictionsThatCannotBeWrittenBeforeItOpensTheModel) {
  const TestDirectory directory;
  const std::string file = directory.write("squad.json", kSquad);
  const std::string nowhere = directory / "none/predictions.json";
  const Ended result =
      run({"eval", file, "--predictions", nowhere, "--model", directory / "no-model"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(contains(result.err, nowhere)) << result.err;
  const Ended other = run({"eval", directory.write("other.json", "{}")});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_TRUE(contains(other.err, "SQuAD JSON is expected")) << other.err;
}

}  // namespace
}  // namespace lambert
