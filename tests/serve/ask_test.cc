#include "serve/ask.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "engine.h"
#include "serve/ask_request.h"

namespace lambert {
namespace {

namespace json = boost::json;

constexpr auto kNever = std::chrono::steady_clock::time_point::max();
constexpr const char* kAda = "Ada Lovelace wrote the first program in 1843.";
constexpr const char* kHopper = "Grace Hopper finished the first compiler in 1952.";

json::value reply_to(const json::value& request, const AskSettings& settings = {}) {
  PendingAnswers pending = submit(request, test::engine(), settings, {kNever});
  return parse_json(wait_for_reply(pending), "reply", ErrorCode::kInternal);
}

// The error of a request that is refused before anything is computed.
RequestError refusal(std::string_view body, const AskSettings& settings = {}) {
  try {
    submit(parse_body(body, 1 << 20), test::tiny_engine(), settings, {kNever});
  } catch (const RequestError& error) {
    return error;
  }
  ADD_FAILURE() << "accepted: " << body;
  return {ErrorCode::kInternal, 0, "", ""};
}

TEST(Ask, OneQuestionIsOneObject) {
  const json::value reply = reply_to({{"question", "Who wrote it?"}, {"context", kAda}});
  EXPECT_EQ(reply.at("answer").as_string(), "Ada Lovelace");
  EXPECT_EQ(reply.at("start").as_int64(), 0);
  EXPECT_EQ(reply.at("end").as_int64(), 12);
  EXPECT_GT(reply.at("score").as_double(), 0.1);
  EXPECT_EQ(reply.as_object().size(), 4U);
}

TEST(Ask, OffsetsAreCodePointsUnlessAskedOtherwise) {
  const std::string context = "Caf\xC3\xA9 \xF0\x9F\x98\x80. Ada Lovelace wrote the first program.";
  json::value request = {{"question", "Who wrote the first program?"}, {"context", context}};
  EXPECT_EQ(reply_to(request).at("start").as_int64(), 8);
  request.as_object()["offset_type"] = "utf16";
  EXPECT_EQ(reply_to(request).at("start").as_int64(), 9);
}

TEST(Ask, SeveralAnswersAreAnArray) {
  const json::value reply =
      reply_to({{"question", "Who wrote it?"}, {"context", kAda}, {"top_k", 3}});
  const json::array& answers = reply.at("answers").as_array();
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[0].at("answer").as_string(), "Ada Lovelace");
  EXPECT_GE(answers[0].at("score").as_double(), answers[1].at("score").as_double());
}

TEST(Ask, SeveralQuestionsAndRequestsComeBackInOrder) {
  const json::value reply =
      reply_to({{{"questions", {"Who wrote it?", "When was it written?"}}, {"context", kAda}},
                {{"question", "Who finished it?"}, {"context", kHopper}}});
  EXPECT_EQ(reply.at(0).at(0).at("answer").as_string(), "Ada Lovelace");
  EXPECT_EQ(reply.at(0).at(1).at("answer").as_string(), "1843");
  EXPECT_EQ(reply.at(1).at("answer").as_string(), "Grace Hopper");
}

TEST(Ask, AnAnswerSaysWhichDocumentItIsFrom) {
  const json::value reply =
      reply_to({{"question", "Who finished the first compiler?"},
                {"documents", {kAda, {{"id", "h"}, {"text", kHopper}, {"title", "t"}}}},
                {"top_k", 2}});
  const json::value& best = reply.at("answers").at(0);
  EXPECT_EQ(best.at("answer").as_string(), "Grace Hopper");
  EXPECT_EQ(best.at("document").as_int64(), 1);
  EXPECT_EQ(best.at("document_id").as_string(), "h");
  EXPECT_EQ(reply.at("answers").as_array().size(), 2U);

  const json::value other = reply_to({{"question", "Who wrote the first program?"},
                                      {"contexts", {kAda, kHopper}},
                                      {"mode", "calibrated"}});
  EXPECT_EQ(other.at("document").as_int64(), 0);
  EXPECT_FALSE(other.as_object().contains("document_id"));
}

TEST(Ask, AnswersOfDocumentsAreThoseOfEachAlone) {
  const json::value both =
      reply_to({{"question", "Who?"}, {"contexts", {kAda, kHopper}}, {"top_k", 4}});
  double last = 9;
  for (const json::value& answer : both.at("answers").as_array()) {
    EXPECT_LE(answer.at("score").as_double(), last);
    last = answer.at("score").as_double();
    const char* context = answer.at("document").as_int64() == 0 ? kAda : kHopper;
    const json::value alone = reply_to({{"question", "Who?"}, {"context", context}, {"top_k", 4}});
    bool found = false;
    for (const json::value& one : alone.at("answers").as_array()) {
      found = found || (one.at("start") == answer.at("start") &&
                        one.at("end") == answer.at("end") && one.at("score") == answer.at("score"));
    }
    EXPECT_TRUE(found) << answer;
  }
}

// "" is one answer where every document has it, with the lowest of its scores.
TEST(Ask, NoAnswerIsThatOfAllDocuments) {
  for (const char* mode : {"hf", "squad", "calibrated"}) {
    json::value request = {{"question", "Who wrote the first program?"},
                           {"context", kHopper},
                           {"mode", mode},
                           {"handle_impossible_answer", true},
                           {"top_k", 50}};
    const auto empty_scores = [&](const json::value& reply) {
      std::vector<double> scores;
      for (const json::value& answer : reply.at("answers").as_array()) {
        if (answer.at("answer").as_string().empty())
          scores.push_back(answer.at("score").as_double());
      }
      return scores;
    };
    const std::vector<double> hopper = empty_scores(reply_to(request));
    request.as_object()["context"] = kAda;
    const std::vector<double> ada = empty_scores(reply_to(request));
    request.as_object().erase("context");
    request.as_object()["contexts"] = {kHopper, kAda};
    const std::vector<double> both = empty_scores(reply_to(request));
    if (std::string_view(mode) == "squad") {  // neither document is without an answer by threshold
      EXPECT_TRUE(both.empty());
      continue;
    }
    ASSERT_EQ(hopper.size(), 1U) << mode;
    ASSERT_EQ(ada.size(), 1U) << mode;
    EXPECT_EQ(both, std::vector<double>{std::min(hopper[0], ada[0])}) << mode;
  }
}

TEST(Ask, InModeSquadTheThresholdDecidesForAllDocuments) {
  json::value request = {{"question", "Who wrote the first program?"},
                         {"contexts", {kHopper, kAda}},
                         {"mode", "squad"},
                         {"handle_impossible_answer", true},
                         {"null_score_diff_threshold", -1000},
                         {"top_k", 3}};
  const json::value reply = reply_to(request);
  EXPECT_EQ(reply.at("answers").at(0).at("answer").as_string(), "");
  EXPECT_NE(reply.at("answers").at(1).at("answer").as_string(), "");
}

TEST(Ask, WithoutAnAnswerThereIsAnEmptyOne) {
  json::value request = {{"question", "Who?"}, {"context", kAda}, {"score_threshold", 10}};
  EXPECT_EQ(json::serialize(reply_to(request)), R"({"answer":"","score":0,"start":0,"end":0})");
  request.as_object()["top_k"] = 2;
  EXPECT_EQ(json::serialize(reply_to(request)), R"({"answers":[]})");
}

TEST(Ask, HuggingFacesFormAnswersWithObjectOrArray) {
  const json::value question = {{"question", "Who wrote it?"}, {"context", kAda}};
  EXPECT_EQ(reply_to({{"inputs", question}}).at("answer").as_string(), "Ada Lovelace");
  json::value request = {{"inputs", question}, {"parameters", {{"top_k", 2}}}};
  EXPECT_EQ(reply_to(request).as_array().size(), 2U);
  request = {{"inputs", json::array{question, question}}, {"topk", 2}};
  EXPECT_EQ(reply_to(request).at(1).as_array().size(), 2U);
}

TEST(Ask, InstancesAreAnsweredWithPredictions) {
  const json::value question = {{"question", "Who wrote it?"}, {"context", kAda}};
  const json::value reply = reply_to({{"instances", json::array{question, question}}});
  EXPECT_EQ(reply.at("predictions").at(1).at("answer").as_string(), "Ada Lovelace");
}

TEST(Ask, ParametersOfTheQuestionGoBeforeSharedOnes) {
  AskSettings settings;
  settings.defaults.top_k = 2;
  const json::value question = {{"question", "Who?"}, {"context", kAda}, {"top_k", 3}};
  EXPECT_EQ(reply_to({{"inputs", question}, {"parameters", {{"top_k", 4}}}}).as_array().size(), 3U);
  EXPECT_EQ(
      reply_to({{"question", "Who?"}, {"context", kAda}}, settings).at("answers").as_array().size(),
      2U);
}

TEST(Ask, RefusesWithThePlaceInTheJson) {
  const struct {
    const char *body, *pointer;
  } cases[] = {
      {R"(5)", ""},
      {R"({})", "/question"},
      {R"({"question":"a"})", "/context"},
      {R"({"context":"a"})", "/question"},
      {R"({"question":null,"context":"a"})", "/question"},
      {R"({"question":5,"context":"a"})", "/question"},
      {R"({"question":["a"],"context":"a"})", "/question"},
      {R"({"question":"","context":"a"})", "/question"},
      {R"({"question":"a","context":""})", "/context"},
      {R"({"question":"a","context":{}})", "/context"},
      {R"({"question":"a","questions":["b"],"context":"c"})", ""},
      {R"({"question":"a","context":"b","documents":["c"]})", ""},
      {R"({"questions":[],"context":"c"})", "/questions"},
      {R"({"questions":"a","context":"c"})", "/questions"},
      {R"({"questions":["a",1],"context":"c"})", "/questions/1"},
      {R"({"question":"a","contexts":[]})", "/contexts"},
      {R"({"question":"a","contexts":["b",""]})", "/contexts/1"},
      {R"({"question":"a","documents":["b",7]})", "/documents/1"},
      {R"({"question":"a","documents":[{"id":1}]})", "/documents/0/text"},
      {R"({"question":"a","documents":[{"text":"b","id":[]}]})", "/documents/0/id"},
      {R"([])", ""},
      {R"([[]])", "/0"},
      {R"([{"question":"a","context":"b"},{"question":"a"}])", "/1/context"},
      {R"({"question":"a","context":"b","top_k":"many"})", "/top_k"},
      {R"({"question":"a","context":"b","top_k":0})", "/top_k"},
      {R"({"question":"a","context":"b","mode":"best"})", "/mode"},
      {R"({"question":"a","context":"b","offset_type":"bytes"})", "/offset_type"},
      {R"({"question":"a","context":"b","max_seq_len":9999})", "/max_seq_len"},
      {R"({"inputs":5})", "/inputs"},
      {R"({"inputs":{"question":"a"}})", "/inputs/context"},
      {R"({"inputs":{"question":"a","context":"b"},"parameters":[]})", "/parameters"},
      {R"({"inputs":{"question":"a","context":"b"},"parameters":{"top_k":true}})",
       "/parameters/top_k"},
      {R"({"inputs":[{"question":"a","context":"b"}],"parameters":{"top_k":-1}})",
       "/parameters/top_k"},
      {R"({"instances":{"question":"a","context":"b"}})", "/instances"},
      {R"({"instances":[{"question":"a","context":"b"},"x"]})", "/instances/1"},
  };
  for (const auto& one : cases) {
    const RequestError error = refusal(one.body);
    EXPECT_EQ(error.status(), 422) << one.body << ": " << error.what();
    EXPECT_EQ(error.pointer(), one.pointer) << one.body << ": " << error.what();
  }
}

TEST(Ask, WhatIsNoJsonIsABadRequest) {
  const std::string deep = std::string(40, '[') + std::string(40, ']');
  for (const std::string_view body :
       {std::string_view(""), std::string_view(" \n"), std::string_view("{"),
        std::string_view("{\"question\":\"a\",\"context\":NaN}"),
        std::string_view("{\"question\":\"a\",\"context\":Infinity}"),
        std::string_view("{\"question\":\"\\ud800\",\"context\":\"b\"}"),
        std::string_view("{\"question\":\"\xFF\",\"context\":\"b\"}"),
        std::string_view("{\"question\":\"a\",\"context\":\"b\"} x"),
        std::string_view("{\"question\":\"a\",\"context\":\"b\",\"top_k\":1e999}"),
        std::string_view("\xEF\xBB\xBF\xEF\xBB\xBF{}"), std::string_view("question=a"),
        std::string_view(deep)}) {
    EXPECT_EQ(refusal(body).status(), 400) << body;
  }
}

TEST(Ask, ReadsWhatPythonWouldToo) {
  const json::value value = parse_body(
      "\xEF\xBB\xBF {\"question\":\"x\",\"question\":\"a\\u0000b\",\"context\":\"b\"}", 99);
  EXPECT_EQ(value.at("question").as_string(), std::string_view("a\0b", 3));
}

TEST(Ask, LimitsAreStatedAndKept) {
  AskSettings settings;
  settings.max_pairs = 4;
  RequestError error = refusal(R"({"questions":["a","b","c"],"contexts":["d","e"]})", settings);
  EXPECT_EQ(error.status(), 413);
  EXPECT_EQ(error.pointer(), "/questions/2");
  EXPECT_NE(std::string(error.what()).find("more than 4 pairs"), std::string::npos);
  EXPECT_EQ(refusal(R"({"question":"a","contexts":["d","e","f","g","h"]})", settings).status(),
            413);
  settings = {};
  settings.max_pair_bytes = 20;
  EXPECT_EQ(refusal(R"({"questions":["a","b","c"],"context":"1234567"})", settings).status(), 413);
  EXPECT_EQ(refusal(std::string(1 << 20, ' ') + "{}").status(), 413);
}

TEST(Ask, APassedDeadlineIsNotWaitedFor) {
  PendingAnswers pending = submit({{"question", "Who?"}, {"context", kAda}}, test::tiny_engine(),
                                  {}, {std::chrono::steady_clock::time_point::min()});
  try {
    wait_for_reply(pending);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(http_status(error), 504);
  }
}

TEST(Ask, ErrorsDoNotRepeatTheTexts) {
  const std::string secret = "the patient's name";
  for (const std::string& body : {"{\"question\":[\"" + secret + "\"],\"context\":\"a\"}",
                                  "{\"question\":{\"" + secret + "\":1},\"context\":\"a\"}",
                                  "{\"question\":\"" + secret + "\",\"context\":5}",
                                  "{\"question\":\"a\",\"documents\":[{\"" + secret + "\":1}]}",
                                  "{\"question\":\"" + secret + "\",\"context\":\"b\""}) {
    EXPECT_EQ(std::string(refusal(body).what()).find(secret), std::string::npos) << body;
  }
}

TEST(Ask, CountsWhatItDid) {
  PendingAnswers pending = submit(
      {{"questions", {"who?", "what?"}}, {"contexts", {"ada", "the notes", "it"}}, {"top_k", 2}},
      test::tiny_engine(), {}, {kNever});
  wait_for_reply(pending);
  const AskStats& stats = pending.stats();
  EXPECT_EQ(stats.questions, 2U);
  EXPECT_EQ(stats.pairs, 6U);
  EXPECT_EQ(stats.question_bytes, 9U);
  EXPECT_EQ(stats.context_bytes, 28U);
  EXPECT_EQ(stats.windows, 6U);
  EXPECT_EQ(stats.answers, 4U);
  EXPECT_GT(stats.tokens, 0U);
}

}  // namespace
}  // namespace lambert
