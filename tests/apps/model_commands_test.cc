// Commands over the default model.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/json.h"
#include "process.h"
#include "sanitized.h"
#include "squad_data.h"
#include "test_files.h"

namespace lambert {
namespace {

namespace json = boost::json;

constexpr const char* kContext = "It was printed in 1843. Ada Lovelace wrote it.";

Ended with_model(std::vector<std::string> arguments, const std::string& input = {}) {
  RunOptions options;
  options.input = input;
  options.environment = {"LAMBERT_MODEL=" + kModel};
  return run(arguments, options);
}

// The first question of each of SQuAD's first paragraphs, as `batch` reads them.
std::optional<std::string> squad_questions(std::size_t count) {
  const std::optional<std::string> text = read_squad("dev-v1.1");
  if (!text) return std::nullopt;
  const json::value squad = parse_json(*text, "squad", ErrorCode::kInternal);
  std::string lines;
  for (const json::value& article : squad.at("data").as_array()) {
    for (const json::value& paragraph : article.at("paragraphs").as_array()) {
      if (count-- == 0) return lines;
      const json::object line{{"question", paragraph.at("qas").at(0).at("question")},
                              {"context", paragraph.at("context")}};
      lines += json::serialize(line) + '\n';
    }
  }
  return lines;
}

json::value json_of(const Ended& result) {
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return parse_json(result.out, "output", ErrorCode::kInternal);
}

TEST(AskCommand, AnswersAsJsonOnAPipe) {
  const Ended result = with_model({"ask", "--question", "Who wrote it?", "--context", kContext});
  EXPECT_EQ(result.err, "");
  const auto answers = json_of(result).at("answers").as_array();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].at("answer").as_string(), "Ada Lovelace");
  EXPECT_EQ(answers[0].at("start").as_int64(), 24);
  EXPECT_EQ(answers[0].at("end").as_int64(), 36);
  EXPECT_EQ(result.out, with_model({"ask", "--json", "-q", "Who wrote it?", "-c", kContext}).out);
}

TEST(AskCommand, TextComesFromOptionsFilesOrStandardInput) {
  const TestDirectory directory;
  const std::string context = directory.write("context", kContext);
  const std::string question = directory.write("question", "Who wrote it?\n");
  const std::string expected = with_model({"ask", "-q", "Who wrote it?", "-c", kContext}).out;
  EXPECT_EQ(with_model({"ask", "-q", "Who wrote it?", "--context-file", context}).out, expected);
  EXPECT_EQ(with_model({"ask", "-q", "Who wrote it?", "--context-file", "-"}, kContext).out,
            expected);
  EXPECT_EQ(with_model({"ask", "-q", "Who wrote it?"}, kContext).out, expected);
  EXPECT_EQ(with_model({"ask", "--question-file", question}, kContext).out, expected);
  EXPECT_EQ(with_model({"ask", "--question-file", "-"}, kContext).exit_code, 2);
  EXPECT_EQ(with_model({"ask", "-q", "a", "--context-file", directory / "none"}).exit_code, 1);
}

TEST(AskCommand, TextsInBracketsAndWithDashesPassUnharmed) {
  const auto answers =
      json_of(with_model({"ask", "-q", "[CLS]", "-c", "[a,b]", "--top-k", "5"})).at("answers");
  const std::string context = "[a,b]";
  ASSERT_FALSE(answers.as_array().empty());
  for (const auto& answer : answers.as_array()) {
    const auto start = answer.at("start").to_number<std::size_t>();
    const auto end = answer.at("end").to_number<std::size_t>();
    EXPECT_EQ(answer.at("answer").as_string(), context.substr(start, end - start));
  }
  for (const char* question : {"-x", "--x=", "--context=", "--"}) {
    EXPECT_EQ(with_model({"ask", "-q", question, "-c", "--help me"}).exit_code, 0) << question;
  }
  const auto tokens = json_of(with_model({"tokenize", "--json", "--pair", "[CLS]", "[a,b]"}));
  EXPECT_EQ(json::serialize(tokens.at("tokens")),
            R"(["[CLS]","[CLS]","[SEP]","[","a",",","b","]","[SEP]"])");
}

TEST(AskCommand, UnusableTextIsAnErrorNotACrash) {
  for (const auto& [question, context] : std::vector<std::pair<std::string, std::string>>{
           {"", "b"}, {"a", ""}, {"\xFF", "b"}, {"a", "\xED\xA0\x80"}, {"a", "\xC3"}}) {
    const Ended result = with_model({"ask", "--json", "-q", question, "-c", context});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.err.find("lambert: "), 0U) << result.err;
    const auto value = parse_json(result.out, "output", ErrorCode::kInternal);
    EXPECT_EQ(value.at("error").at("code").as_string(), "invalid_input");
  }
  EXPECT_EQ(with_model({"ask", "-q", "a"}, std::string("b\0c", 3)).exit_code, 0);
}

TEST(AskCommand, ParametersReachTheEngine) {
  const auto ask = [](std::vector<std::string> more) {
    std::vector<std::string> all{"ask", "-q", "Who wrote it?", "-c", "Ünlü Ada wrote it."};
    all.insert(all.end(), more.begin(), more.end());
    return json_of(with_model(all)).at("answers").as_array();
  };
  EXPECT_EQ(ask({"--top-k", "3"}).size(), 3U);
  EXPECT_EQ(ask({"--score-threshold", "2"}).size(), 0U);
  const auto end = [&](const char* unit) { return ask({"--offset-type", unit})[0].at("end"); };
  EXPECT_EQ(end("utf8").as_int64(), end("codepoint").as_int64() + 2);
  EXPECT_EQ(end("utf16").as_int64(), end("codepoint").as_int64());
  EXPECT_EQ(with_model({"ask", "-q", "a", "-c", "b", "--max-seq-len", "513"}).exit_code, 2);
}

// What `lambert ask` writes to a terminal.
std::string on_terminal(const std::string& context, const std::vector<std::string>& environment) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  EXPECT_EQ(::grantpt(terminal), 0);
  EXPECT_EQ(::unlockpt(terminal), 0);
  const int held = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY);  // else its end is an error
  RunOptions options;
  options.environment = environment;
  options.out_path = ::ptsname(terminal);
  const Ended result =
      run({"ask", "--model", kModel, "-q", "Who wrote it?", "-c", context}, options);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  char text[4096];
  const bool wrote = result.exit_code == 0;  // else a read would wait for ever
  const ssize_t got = wrote ? ::read(terminal, text, sizeof text) : 0;
  ::close(held);
  ::close(terminal);
  return {text, got > 0 ? static_cast<std::size_t>(got) : 0};
}

TEST(AskCommand, ShowsTheAnswerInItsSentenceOnATerminal) {
  const std::string colored = on_terminal(kContext, {"TERM=xterm", "NO_COLOR="});
  EXPECT_NE(colored.find("  \x1b[1;32mAda Lovelace\x1b[0m wrote it."), std::string::npos)
      << colored;
  EXPECT_EQ(colored.find("printed"), std::string::npos) << colored;
  const std::string plain = on_terminal(kContext, {"TERM=xterm", "NO_COLOR=1"});
  EXPECT_NE(plain.find("  »Ada Lovelace« wrote it."), std::string::npos) << plain;
}

TEST(AskCommand, TextCannotCommandTheTerminal) {
  const std::string shown =
      on_terminal("\x1b]0;title\x07 Ada Lovelace\x1b[31m wrote \xC2\x9B it", {"NO_COLOR=1"});
  EXPECT_EQ(shown.find('\x1b'), std::string::npos);
  EXPECT_EQ(shown.find('\x07'), std::string::npos);
  EXPECT_EQ(shown.find('\x9B'), std::string::npos);
  EXPECT_NE(shown.find("Lovelace"), std::string::npos) << shown;
}

TEST(TokenizeCommand, SingleTextsHaveOneSeparator) {
  const auto tokens = json_of(with_model({"tokenize", "--json", "Hello embeddings"}));
  EXPECT_EQ(json::serialize(tokens),
            R"({"ids":[101,7592,7861,8270,4667,2015,102],)"
            R"("tokens":["[CLS]","hello","em","##bed","##ding","##s","[SEP]"],)"
            R"("offsets":[[0,0],[0,5],[6,8],[8,11],[11,15],[15,16],[0,0]],)"
            R"("word_ids":[null,0,1,1,1,1,null],"type_ids":[0,0,0,0,0,0,0]})");
}

// Which of the two it was did not stand there.
TEST(TokenizeCommand, AnErrorNamesTheText) {
  const Ended context = with_model({"tokenize", "--pair", "ok", "\xFF"});
  EXPECT_EQ(context.exit_code, 1);
  EXPECT_EQ(context.err.find("lambert: context: "), 0U) << context.err;
  EXPECT_EQ(with_model({"tokenize", "\xFF"}).err.find("lambert: question: "), 0U);
}

TEST(LogitsCommand, OneObjectAWindow) {
  const auto windows = json_of(with_model({"logits", "--json", "-q", "Who?", "-c", "Ada wrote it",
                                           "--max-seq-len", "7", "--doc-stride", "0"}))
                           .as_array();
  ASSERT_EQ(windows.size(), 2U);
  EXPECT_EQ(windows[0].at("start").as_array().size(), 7U);
  EXPECT_EQ(windows[0].at("context_start").as_int64(), 4);
  EXPECT_EQ(windows[0].at("context_end").as_int64(), 6);
  EXPECT_EQ(windows[1].at("end").as_array().size(), 6U);
}

TEST(EvalCommand, PrintsFiguresAndWritesPredictions) {
  const TestDirectory directory;
  const std::string file = directory.write("dev.json", R"({"version":"1.1","data":[{"paragraphs":[
      {"context":"It was printed in 1843. Ada Lovelace wrote it.","qas":[
       {"id":"q1","question":"Who wrote it?","answers":[{"text":"Ada Lovelace"}]},
       {"id":"q2","question":"When was it printed?","answers":[{"text":"in 1843"}]}]}]}]})");
  const std::string predictions = directory / "predictions.json";
  const auto figures = json_of(with_model({"eval", file, "--json", "--predictions", predictions}));
  EXPECT_EQ(figures.at("exact_match").to_number<double>(), 50);
  EXPECT_GT(figures.at("f1").to_number<double>(), 80);
  EXPECT_EQ(figures.at("total").as_int64(), 2);
  EXPECT_GT(figures.at("seconds").to_number<double>(), 0);
  EXPECT_EQ(figures.at("f1_ci95").as_array().size(), 2U);
  EXPECT_EQ(read_all(predictions), "{\"q1\": \"Ada Lovelace\", \"q2\": \"1843\"}\n");
  const auto first = json_of(with_model({"eval", "-", "--json", "--limit", "1"}, read_all(file)));
  EXPECT_EQ(first.at("total").as_int64(), 1);
  EXPECT_EQ(with_model({"eval", directory / "none"}).exit_code, 1);
  EXPECT_EQ(with_model({"eval", "-"}, "{}").exit_code, 1);
}

// They were written into the predictions.
TEST(EvalCommand, FiguresDoNotGoIntoThePredictionsWhereStandardOutputIsClosed) {
  const TestDirectory directory;
  const std::string predictions = directory / "predictions.json";
  const std::string file = directory.write("dev.json", R"({"data":[{"paragraphs":[
      {"context":"Ada wrote it.","qas":[{"id":"1","question":"Who?","answers":[]}]}]}]})");
  RunOptions options;
  options.closed = {1};
  const Ended result =
      run({"eval", file, "--json", "--predictions", predictions, "--model", kModel}, options);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, "lambert: standard output: cannot be written: Bad file descriptor\n");
  EXPECT_EQ(read_all(predictions).find("{\"1\": "), 0U);
  EXPECT_EQ(read_all(predictions).find("exact_match"), std::string::npos);
}

TEST(InspectCommand, TellsWhatTheModelIs) {
  const auto facts = json_of(with_model({"inspect", "--json"}));
  EXPECT_EQ(facts.at("model_type").as_string(), "distilbert");
  EXPECT_EQ(facts.at("tensors_F16").as_int64(), 102);
  EXPECT_TRUE(facts.at("runs").as_bool());
}

// Of the default model in each form that a model comes in, answering 300 questions of SQuAD.
TEST(InspectCommand, PredictsPeakMemoryWithinATenth) {
  if (LAMBERT_SANITIZED) GTEST_SKIP() << "a sanitizer has its own memory";
  const std::optional<std::string> questions = squad_questions(300);
  if (!questions) GTEST_SKIP() << "LAMBERT_DATA has no SQuAD dev-v1.1";
  const TestDirectory directory;
  for (const std::string precision : {"fp32", "int8"}) {
    const std::string packed = directory / precision + ".lambert";
    ASSERT_EQ(run({"pack", kModel, "-o", packed, "--precision", precision}).exit_code, 0);
    for (const std::string& model : {kModel, packed}) {
      const std::vector<std::string> options{"--model", model,       "--precision",
                                             precision, "--threads", "2"};
      const auto with_options = [&](std::vector<std::string> arguments, const std::string& input) {
        arguments.insert(arguments.end(), options.begin(), options.end());
        RunOptions run_options;
        run_options.input = input;
        return run(arguments, run_options);
      };
      const auto facts = json_of(with_options({"inspect", "--memory", "--json"}, ""));
      const auto predicted = static_cast<double>(facts.at("memory_peak_bytes").as_int64());
      const Ended answered = with_options({"batch"}, *questions);
      ASSERT_EQ(answered.exit_code, 0) << answered.err;
      const auto measured = static_cast<double>(answered.peak_bytes);
      std::printf("%s %s: predicted %.1f MB, measured %.1f MB\n", precision.c_str(),
                  model == packed ? "packed" : "directory", predicted / 1e6, measured / 1e6);
      EXPECT_NEAR(predicted / measured, 1.0, 0.1) << model;
    }
  }
}

TEST(DoctorCommand, EveryLineIsOk) {
  const Ended result = with_model({"doctor"});
  EXPECT_EQ(result.exit_code, 0) << result.out;
  EXPECT_EQ(result.out.find("FAIL"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("self-test: Who wrote it? \"Ada Lovelace\""), std::string::npos)
      << result.out;
}

}  // namespace
}  // namespace lambert
