// lambert pack, and what is done with its files.
#include <gtest/gtest.h>

#include "process.h"
#include "test_files.h"

namespace lambert {
namespace {

class PackCommand : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = new TestDirectory;
    const Ended result = run({"pack", kModel, "-o", path(), "--precision", "int8"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.err.find("squad.lambert: int8, 25."), std::string::npos) << result.err;
  }
  static void TearDownTestSuite() { delete directory_; }
  static std::string path() { return *directory_ / "squad.lambert"; }

  static Ended ask(const std::string& model, std::vector<std::string> more = {},
                   const RunOptions& options = {}) {
    std::vector<std::string> all{"ask",
                                 "--model",
                                 model,
                                 "-q",
                                 "Who wrote it?",
                                 "-c",
                                 "It was printed in 1843. Ada Lovelace wrote it."};
    all.insert(all.end(), more.begin(), more.end());
    return run(all, options);
  }

  static inline TestDirectory* directory_ = nullptr;
};

TEST_F(PackCommand, AnswersAreThoseOfTheModelInThatPrecision) {
  const Ended packed = ask(path());
  EXPECT_EQ(packed.exit_code, 0) << packed.err;
  EXPECT_NE(packed.out.find("\"answer\":\"Ada Lovelace\""), std::string::npos) << packed.out;
  EXPECT_EQ(packed.out, ask(kModel, {"--precision", "int8"}).out);
  EXPECT_EQ(packed.out, ask(path(), {"--precision", "int8", "--threads", "3"}).out);
  EXPECT_EQ(packed.out, ask(path(), {"--isa", "scalar"}).out);
  const auto logits = [](const std::string& model) {
    return run({"logits", "--model", model, "--precision", "int8", "-q", "Who?", "-c", "Ada."}).out;
  };
  EXPECT_EQ(logits(path()), logits(kModel));
}

TEST(PackCalibration, ReadsQuestionsOrSaysWhichIsBroken) {
  const TestDirectory directory;
  const std::string model = LAMBERT_SOURCE_DIR "/tests/model/data/tiny/bert_tanh_f16";
  const auto pack = [&](const std::string& questions) {
    return run({"pack", model, "-o", directory / "tiny.lambert", "--force", "--calibration",
                directory.write("questions.jsonl", questions)});
  };
  const std::string good = R"({"question":"Who?","context":"Ada wrote it."})";
  const Ended packed = pack(good + "\n" + good);
  EXPECT_EQ(packed.exit_code, 0) << packed.err;
  EXPECT_NE(packed.err.find("tiny.lambert: int8"), std::string::npos) << packed.err;
  const Ended broken = pack(good + "\n{\"question\":7}");
  EXPECT_NE(broken.exit_code, 0);
  EXPECT_NE(broken.err.find("questions.jsonl: question 2: "), std::string::npos) << broken.err;
  const Ended empty = pack("");
  EXPECT_NE(empty.exit_code, 0);
  EXPECT_NE(empty.err.find("no questions"), std::string::npos) << empty.err;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from << " in " << text;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST_F(PackCommand, AReceiptHoldsWithTheModelPackedOrNot) {
  const std::string receipt = ask(path(), {"--json", "--receipt"}).out;
  EXPECT_EQ(receipt, ask(kModel, {"--json", "--receipt", "--precision", "int8"}).out);
  RunOptions options;
  options.input = receipt;
  for (const std::string& model : {path(), kModel}) {
    const Ended verified =
        run({"verify", "-", "--json", "--model", model, "--threads", "2"}, options);
    EXPECT_EQ(verified.exit_code, 0) << verified.err;
    EXPECT_EQ(verified.out,
              "{\"verified\":true,\"model\":true,\"precision\":true,\"input\":true,"
              "\"parameters\":true,\"answers\":true,\"engine\":true}\n");
  }
}

TEST_F(PackCommand, AReceiptThatDoesNotHoldIsExitCode5AndSaysWhy) {
  const std::string receipt = ask(path(), {"--json", "--receipt"}).out;
  const auto verify = [&](const std::string& text, std::vector<std::string> more = {}) {
    RunOptions options;
    options.input = text;
    std::vector<std::string> all{"verify", "-", "--model", path()};
    all.insert(all.end(), more.begin(), more.end());
    return run(all, options);
  };
  const auto expect = [&](const Ended& ended, const std::string& part) {
    EXPECT_EQ(ended.exit_code, 5) << ended.err;
    EXPECT_NE(ended.out.find(part), std::string::npos) << ended.out;
  };
  expect(verify(replaced(receipt, "\"answer\":\"Ada Lovelace\"", "\"answer\":\"Ada Byron\"")),
         "answers: differs from what its digest is of");
  expect(verify(replaced(receipt, "printed in 1843", "printed in 1844")), "input: differs: ");
  expect(verify(replaced(receipt, "\"top_k\":1", "\"top_k\":2")), "parameters: differs: ");
  expect(verify(receipt, {"-q", "What?"}), "input: differs: ");
  const std::string without = replaced(receipt, "\"question\":\"Who wrote it?\",", "");
  EXPECT_EQ(verify(without, {"-q", "Who wrote it?"}).exit_code, 0);
  const Ended missing = verify(without);
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_NE(missing.err.find("no question; pass --question TEXT"), std::string::npos)
      << missing.err;
  EXPECT_EQ(verify(receipt, {"--precision", "fp32"}).exit_code, 2);  // it is packed as int8
  EXPECT_EQ(verify("{}").exit_code, 1);
}

TEST_F(PackCommand, AnArchiveOfItIsAModel) {
  const std::string model = *directory_ / "model", archive = *directory_ / "model.tar.gz";
  std::filesystem::create_directory(model);
  std::filesystem::copy(path(), model + "/model.lambert");
  ASSERT_EQ(run({"archive", model, "-o", archive}).exit_code, 0);
  EXPECT_EQ(ask(archive).out, ask(path()).out);
  EXPECT_EQ(ask(model).out, ask(path()).out);
}

TEST_F(PackCommand, AnotherPrecisionIsAnErrorOfUsage) {
  const Ended result = ask(path(), {"--precision", "fp32"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("was packed as int8"), std::string::npos) << result.err;
}

TEST_F(PackCommand, DoesNotReplaceAFileUnasked) {
  const std::string before = read_all(path());
  const Ended refused = run({"pack", kModel, "-o", path()});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("--force"), std::string::npos) << refused.err;
  EXPECT_TRUE(read_all(path()) == before);
  const Ended again = run({"pack", "--model", kModel, "-o", path(), "--precision", "int8",
                           "--force", "--threads", "1"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_TRUE(read_all(path()) == before);
}

TEST_F(PackCommand, WrongUseSaysSo) {
  EXPECT_EQ(run({"pack", kModel}).exit_code, 2);
  EXPECT_EQ(run({"pack", kModel, "-o", "-"}).exit_code, 2);
  EXPECT_EQ(run({"pack", "/nowhere", "-o", *directory_ / "a"}).exit_code, 3);
  EXPECT_EQ(run({"pack", kModel, "-o", *directory_ / "no/a"}).exit_code, 1);
  EXPECT_EQ(run({"pack", kModel, "-o", *directory_ / "a", "--precision", "int4"}).exit_code, 2);
}

TEST_F(PackCommand, ADamagedFileIsAnErrorOfTheModel) {
  const std::string cut = directory_->write("cut.lambert", read_all(path()).substr(0, 1 << 20));
  const Ended result = ask(cut);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE(result.err.find("is cut off: has 1048576 bytes"), std::string::npos) << result.err;
}

TEST_F(PackCommand, InspectShowsAndVerifies) {
  const Ended shown = run({"inspect", path(), "--verify", "--json"});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  for (const char* const fact :
       {R"("source":"distilbert-minilm-squad")", R"("precision":"int8")", R"("verified":true)",
        R"("runs":true)", R"("layers":6)", R"("bytes_wrdw":11720448)", R"("identity":")"}) {
    EXPECT_NE(shown.out.find(fact), std::string::npos) << fact << " in " << shown.out;
  }
  std::string bytes = read_all(path());
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  const std::string damaged = directory_->write("damaged.lambert", bytes);
  EXPECT_EQ(run({"inspect", damaged}).exit_code, 0);
  const Ended verified = run({"inspect", damaged, "--verify"});
  EXPECT_EQ(verified.exit_code, 3);
  EXPECT_NE(verified.err.find("section "), std::string::npos) << verified.err;
  EXPECT_EQ(run({"inspect", kModel, "--verify"}).exit_code, 2);
}

TEST_F(PackCommand, ACacheHoldsWhatPackMakes) {
  const std::string cache = *directory_ / "cache";
  std::filesystem::create_directory(cache);
  RunOptions options;
  options.environment = {"LAMBERT_BUNDLE_CACHE=" + cache};
  const Ended first = ask(kModel, {"--precision", "int8"}, options);
  EXPECT_EQ(first.exit_code, 0) << first.err;
  const auto kept = std::filesystem::directory_iterator(cache)->path().string();
  EXPECT_TRUE(read_all(kept) == read_all(path()));
  EXPECT_EQ(ask(kModel, {"--precision", "int8"}, options).out, first.out);
}

}  // namespace
}  // namespace lambert
