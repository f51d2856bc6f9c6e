#include "wire/receipt.h"

#include <gtest/gtest.h>

namespace lambert {
namespace {

const std::string kDigest(64, 'a');

Receipt receipt() {
  return {"lambert 1.2.3",     "int8", kDigest, std::string(64, 'b'), std::string(64, 'c'),
          std::string(64, 'd')};
}

Question question() {
  Question question{.question = "Who \"wrote\" it?", .context = "Ada\nwrote it."};
  question.parameters.mode = Mode::kSquad;
  question.parameters.top_k = 3;
  question.parameters.doc_stride = 17;
  question.parameters.null_score_diff_threshold = 0.3;
  question.parameters.score_threshold = 0.1;
  question.parameters.offset_type = OffsetType::kUtf16;
  return question;
}

std::string line() {
  Result result;
  result.answers = {{"Ada", 0.1, 0, 3}, {"it", 1.0 / 3, 10, 12}};
  return receipt_line(result, receipt(), question());
}

TEST(Receipt, ComesBackAsItWasWritten) {
  const ReceiptLine read = read_receipt_line(line(), "test");
  EXPECT_EQ(read.receipt, receipt());
  EXPECT_EQ(read.question, question().question);
  EXPECT_EQ(read.context, question().context);
  EXPECT_EQ(parameters_text(read.parameters), parameters_text(question().parameters));
  EXPECT_TRUE(same_answers(read.answers, {{"Ada", 0.1, 0, 3}, {"it", 1.0 / 3, 10, 12}}));
}

TEST(Receipt, EveryParameterCounts) {
  const std::string text = parameters_text(question().parameters);
  const auto differs = [&](auto change) {
    Parameters parameters = question().parameters;
    change(parameters);
    return parameters_text(parameters) != text;
  };
  EXPECT_FALSE(differs([](Parameters&) {}));
  EXPECT_TRUE(differs([](Parameters& p) { p.mode = Mode::kHf; }));
  EXPECT_TRUE(differs([](Parameters& p) { p.top_k = 4; }));
  EXPECT_TRUE(differs([](Parameters& p) { p.max_seq_len = 384; }));
  EXPECT_TRUE(differs([](Parameters& p) { p.doc_stride.reset(); }));
  EXPECT_TRUE(differs([](Parameters& p) { p.max_answer_len = 1; }));
  EXPECT_TRUE(differs([](Parameters& p) { p.max_question_len = 1; }));
  EXPECT_TRUE(differs([](Parameters& p) { p.handle_impossible_answer = true; }));
  EXPECT_TRUE(differs([](Parameters& p) { p.align_to_words = false; }));
  EXPECT_TRUE(differs([](Parameters& p) { p.n_best_size = 1; }));
  EXPECT_TRUE(differs([](Parameters& p) { p.null_score_diff_threshold = 0; }));
  EXPECT_TRUE(differs([](Parameters& p) { p.score_threshold.reset(); }));
  EXPECT_TRUE(differs([](Parameters& p) { p.offset_type = OffsetType::kUtf8; }));
}

TEST(Receipt, QuestionAndContextCannotPassForEachOther) {
  EXPECT_NE(input_text("ab", "c"), input_text("a", "bc"));
  EXPECT_EQ(input_text("ab", "c"), "2\nabc");
}

TEST(Receipt, AnswersDifferByAnything) {
  const std::vector<Answer> answers{{"Ada", 0.25, 0, 3}};
  EXPECT_TRUE(same_answers(answers, answers));
  EXPECT_FALSE(same_answers(answers, {}));
  EXPECT_FALSE(same_answers(answers, {{"Adb", 0.25, 0, 3}}));
  EXPECT_FALSE(same_answers(answers, {{"Ada", 0.2500001, 0, 3}}));
  EXPECT_FALSE(same_answers(answers, {{"Ada", 0.25, 1, 3}}));
  EXPECT_FALSE(same_answers(answers, {{"Ada", 0.25, 0, 4}}));
}

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = line();
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Receipt, QuestionAndContextMayBeTakenOut) {
  const ReceiptLine read =
      read_receipt_line(replaced(R"(,"context":"Ada\nwrote it.")", ""), "test");
  EXPECT_TRUE(read.question.has_value());
  EXPECT_FALSE(read.context.has_value());
}

TEST(Receipt, DamageIsNamed) {
  const auto message = [](const std::string& text) {
    try {
      read_receipt_line(text, "r.json");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      return std::string(error.what());
    }
    ADD_FAILURE() << text;
    return std::string();
  };
  const auto expect = [&](const std::string& text, const std::string& part) {
    EXPECT_NE(message(text).find(part), std::string::npos) << message(text);
  };
  expect("[1]", "r.json: it is an array, expected an object");
  expect("{}", "receipt is missing");
  expect(R"({"answers":[]})", "lambert ask --json --receipt");
  expect(replaced("\"format\":1", "\"format\":2"), "format is 2, expected 1");
  expect(replaced(kDigest, "xyz"), "model is \"xyz\", expected 64 hexadecimal digits");
  expect(replaced("\"start\":0", "\"start\":-1"), "start is -1");
  expect(replaced("\"score\":0.1", "\"score\":\"0.1\""), "score is a string");
  expect(replaced("\"top_k\":3", "\"top_k\":\"3\""), "top_k");
  expect(replaced("\"answers\":[", "\"answers\":[5,"), "an element of answers is a number");
  expect(replaced("\"format\":1", "\"format\":1,\"format\":1"), "format");
  expect(line() + "x", "r.json");
}

}  // namespace
}  // namespace lambert
