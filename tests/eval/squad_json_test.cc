#include "eval/squad_json.h"

#include <gtest/gtest.h>

#include "lambert/lambert.h"

namespace lambert {
namespace {

constexpr std::string_view kV1 = R"({"version":"1.1","data":[{"title":"t","paragraphs":[
  {"context":"Ada wrote it.","qas":[
    {"id":"q1","question":"Who?","answers":[{"text":"Ada","answer_start":0},{"text":"ada"}]},
    {"question":"What?","answers":[{"text":"it"}]}]},
  {"context":"Zwei","qas":[{"id":7,"question":"x","answers":[{"text":"Zwei"}]}]}]}]})";

TEST(SquadJson, ReadsQuestionsInOrder) {
  const SquadData data = parse_squad(kV1, "dev.json");
  EXPECT_FALSE(data.v2);
  EXPECT_EQ(data.contexts, (std::vector<std::string>{"Ada wrote it.", "Zwei"}));
  ASSERT_EQ(data.questions.size(), 3U);
  EXPECT_EQ(data.questions[0].id, "\"q1\"");
  EXPECT_EQ(data.questions[0].answers, (std::vector<std::string>{"Ada", "ada"}));
  EXPECT_EQ(data.questions[1].id, "2");
  EXPECT_EQ(data.questions[1].context, 0U);
  EXPECT_EQ(data.questions[2].id, "7");
  EXPECT_EQ(data.questions[2].context, 1U);
}

TEST(SquadJson, UnanswerableQuestionsMakeItV2) {
  const auto v2 = [](std::string_view qa) {
    return parse_squad(
               R"({"data":[{"paragraphs":[{"context":"c","qas":[)" + std::string(qa) + "]}]}]}",
               "dev.json")
        .v2;
  };
  EXPECT_TRUE(v2(R"({"question":"q","answers":[]})"));
  EXPECT_TRUE(v2(R"({"question":"q"})"));
  EXPECT_TRUE(v2(R"({"question":"q","is_impossible":false,"answers":[{"text":"c"}]})"));
  EXPECT_FALSE(v2(R"({"question":"q","answers":[{"text":"c"}]})"));
}

TEST(SquadJson, ErrorsNameThePlace) {
  const auto message = [](std::string_view text) -> std::string {
    try {
      parse_squad(text, "dev.json");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(message(R"({"data":{}})"), "dev.json: \"data\" must be an array");
  EXPECT_EQ(message(R"([])").find("dev.json: \"data\" is missing; SQuAD JSON is expected"), 0U);
  EXPECT_EQ(message(R"({"data":[{"paragraphs":[{"context":"c","qas":[{"answers":[]}]}]}]})")
                .find("dev.json: data[0].paragraphs[0].qas[0]: \"question\" is missing"),
            0U);
  EXPECT_EQ(message(R"({"data":[{"paragraphs":[{"context":3,"qas":[]}]}]})"),
            "dev.json: data[0].paragraphs[0]: \"context\" must be a string");
  EXPECT_NE(message(R"({"data":[)").find("dev.json: not valid JSON"), std::string::npos);
}

using enum SquadGuess;

SquadGuess guess(std::string_view prefix) {
  return guess_squad(prefix, false);
}

TEST(SquadJson, IsToldFromLinesByItsContent) {
  EXPECT_EQ(guess(kV1), kYes);
  EXPECT_EQ(guess("{\n  \"data\": [\n    { \"paragraphs\" :"), kYes);
  EXPECT_EQ(guess_squad(R"({"data":[]})", true), kYes);
  EXPECT_EQ(guess_squad("{\"data\":[{\"title\":\"t\"}]} \n", true), kYes);
  EXPECT_EQ(guess(R"({"version":"v2.0","data":[{"title":"t","paragraphs":[)"), kYes);
  EXPECT_EQ(guess(R"({"meta":{"data":[{"x":1}]},"data":[{"paragraphs":)"), kYes);
  EXPECT_EQ(guess(R"({"id":1,"question":"data","context":"[{"})"), kNo);
  EXPECT_EQ(guess(R"({"id":"\"data\":[{"})"), kNo);
  EXPECT_EQ(guess(R"({"id":1})"), kNo);
  EXPECT_EQ(guess(R"({"data":7,"question":"a","context":"b"})"), kNo);
  EXPECT_EQ(guess(R"({"data":[1],"question":"a","context":"b"})"), kNo);
  EXPECT_EQ(guess(R"({"meta":{"data":[{"paragraphs":1}]},"context":"b"})"), kNo);
  EXPECT_EQ(guess(R"({"data":[{"x":["paragraphs"]},{"paragraphs":1}],"question":"a"})"), kNo);
  EXPECT_EQ(guess("[1]"), kNo);
  EXPECT_EQ(guess("\"{"), kNo);
  EXPECT_EQ(guess("nonsense"), kNo);
  for (const std::string_view text :
       {"", " \n", "{", "{\"da", "{\"data\"", "{\"data\":", "{\"data\":[", "{\"data\":[{",
        "{\"data\":[{\"paragraphs\"", "{\"version\":\"v2.0\"", "{\"a\\"}) {
    EXPECT_EQ(guess(text), kUndecided) << text;
    EXPECT_EQ(guess_squad(text, true), kNo) << text;
  }
  for (const std::string_view text : {"{\"id\"", "{\"id\":1,\"ques", "{\"id\":1,\n"}) {
    EXPECT_EQ(guess(text), kUnlikely) << text;
    EXPECT_EQ(guess_squad(text, true), kNo) << text;
  }
}

// Such a line was taken for SQuAD JSON without a question.
TEST(SquadJson, AnUnknownFieldNamedDataDoesNotMakeALineSquad) {
  EXPECT_EQ(guess(R"({"data":[],"question":"Who?","context":"Ada"})"), kNo);
  EXPECT_EQ(guess(R"({"data":[{"x":1}],"question":"Who?","context":"Ada"})"), kNo);
  EXPECT_EQ(guess(R"({"data":[{"x":{"paragraphs":1}}],"context":"Ada"})"), kNo);
}

// Its error ended the batch, though it is one line of many.
TEST(SquadJson, ALineWithDataAndWithoutParagraphsIsNotSquadWhereMoreFollows) {
  for (const std::string line : {R"({"data":[]})", R"({"data":[1],"x":2})"}) {
    EXPECT_EQ(guess(line), kUndecided) << line;
    EXPECT_EQ(guess(line + "\n"), kUndecided) << line;
    EXPECT_EQ(guess(line + "\n{"), kNo) << line;
    EXPECT_EQ(guess_squad(line + "\nx", true), kNo) << line;
  }
}

// Looking for its end took in the lines that followed.
TEST(SquadJson, ATornLineIsNotSquad) {
  for (const std::string_view text :
       {"{\"id\":1,\"ques\n", "{\"data\":[{\"a\\\n", "{\"id\":1,\"question\"\n", "{\"id\"\n{",
        "{\"id\":\n,", "{\"id\":1,\n{", "{\"id\":1\n{", "{\"id\":{}\n{", "{\n{", "{,", "{\"id\",",
        "{\"a\":\"b\"\"c\"", "{\"a\":]", "{\"a\"::"}) {
    EXPECT_EQ(guess(text), kNo) << text;
  }
}

TEST(SquadJson, EveryPrefixIsJudgedTheSameOrUndecided) {
  for (std::size_t size = 0; size <= kV1.size(); ++size) {
    const SquadGuess found = guess(kV1.substr(0, size));
    EXPECT_TRUE(found == kUndecided || found == kYes) << size;
  }
}

}  // namespace
}  // namespace lambert
