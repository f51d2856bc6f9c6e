#include "eval/squad_metrics.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../squad_data.h"
#include "base/json.h"
#include "base/utf8.h"
#include "eval/squad_eval.h"
#include "eval/squad_json.h"
#include "test_files.h"

namespace lambert {
namespace {

namespace json = boost::json;

const json::value& goldens() {
  static const json::value value =
      parse_json(read_all(LAMBERT_SOURCE_DIR "/tests/eval/data/squad_metrics.json"), "goldens",
                 ErrorCode::kInternal);
  return value;
}

std::string text(const json::value& value) {
  return std::string(value.as_string());
}
double hex_float(const json::value& value) {
  return std::strtod(value.as_string().c_str(), nullptr);
}

std::uint64_t fnv1a(std::string_view bytes, std::uint64_t state = 0xCBF29CE484222325U) {
  for (const char c : bytes) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return state;
}

std::string hex16(std::uint64_t number) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(number));
  return digits;
}

TEST(SquadMetrics, PairsScoreAsTransformersScoresThem) {
  const auto& pairs = goldens().at("pairs").as_array();
  ASSERT_GE(pairs.size(), 390U);
  for (const auto& pair : pairs) {
    const std::string reference = text(pair.at(0)), answer = text(pair.at(1));
    EXPECT_EQ(normalize_answer(reference), text(pair.at(2))) << pair;
    EXPECT_EQ(normalize_answer(answer), text(pair.at(3))) << pair;
    const AnswerScore v2 = score_answer(answer, reference, true);
    const AnswerScore v1 = score_answer(answer, reference, false);
    EXPECT_EQ(v2.exact, pair.at(4).to_number<double>()) << pair;
    EXPECT_EQ(v1.exact, v2.exact) << pair;
    EXPECT_EQ(v2.f1, hex_float(pair.at(5))) << pair;
    EXPECT_EQ(v1.f1, hex_float(pair.at(6))) << pair;
  }
}

TEST(SquadMetrics, EveryCodePointIsNormalisedAsPythonDoes) {
  std::uint64_t digest = fnv1a("");
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    const std::u32string sample =
        std::u32string(U"A") + c + U"\u03A3 a" + c + U"the x" + c + c + U"B";
    digest = fnv1a(normalize_answer(encode_utf8(sample)) + "\n", digest);
  }
  EXPECT_EQ(hex16(digest), text(goldens().at("every_code_point")));
}

TEST(SquadMetrics, TheBestReferenceCountsAndEmptyOnesDoNotInV2) {
  EXPECT_EQ(score_answer("Ada", std::vector<std::string>{"Bob", "ada lovelace", "ada"}, true).exact,
            1);
  EXPECT_EQ(score_answer("", std::vector<std::string>{}, true).f1, 1);
  EXPECT_EQ(score_answer("x", std::vector<std::string>{}, true).f1, 0);
  EXPECT_EQ(score_answer("", std::vector<std::string>{"the"}, true).exact, 1);
  EXPECT_EQ(score_answer("", std::vector<std::string>{"the", "x"}, true).exact, 0);
  EXPECT_EQ(score_answer("", std::vector<std::string>{"the", "x"}, false).exact, 1);
}

// The golden maker's `spoilt`, in C++.
std::string spoilt(const std::string& answer, const std::string& id) {
  std::vector<std::string> words;
  std::size_t begin = 0;
  for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
    end = answer.find(' ', begin);
    words.push_back(answer.substr(begin, end == std::string::npos ? end : end - begin));
  }
  const auto join = [](auto first, auto last) {
    std::string joined;
    for (auto it = first; it != last; ++it) joined += (it == first ? "" : " ") + *it;
    return joined;
  };
  std::string upper = answer;
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  switch (fnv1a(id) % 8) {
    case 0: return "";
    case 1: return join(words.begin(), words.end() - 1);
    case 2: return join(words.begin() + 1, words.end());
    case 3: return "The " + answer + ".";
    case 4: return upper;
    case 5: return join(words.rbegin(), words.rend()) + " and";
    default: return answer;
  }
}

void check_dev_file(const std::string& set, const char* name, bool v2) {
  const std::optional<std::string> file = read_squad(set);
  if (!file) GTEST_SKIP() << "LAMBERT_DATA has no SQuAD " << set;
  const SquadData data = parse_squad(*file, set);
  EXPECT_EQ(data.v2, v2);
  std::vector<std::string> answers;
  std::uint64_t digest = fnv1a("");
  for (const SquadQuestion& question : data.questions) {
    const std::string base =
        question.answers.empty() ? question.question : question.answers.front();
    answers.push_back(spoilt(base, question.id.substr(1, question.id.size() - 2)));
    const AnswerScore score = score_answer(answers.back(), question.answers, v2);
    char bytes[16];
    std::memcpy(bytes, &score.exact, 8);
    std::memcpy(bytes + 8, &score.f1, 8);
    digest = fnv1a({bytes, 16}, digest);
  }
  const json::value& golden = goldens().at("files").at(name);
  const Evaluation evaluation = evaluate(data, answers);
  EXPECT_EQ(evaluation.all.total, golden.at("total").to_number<std::size_t>());
  EXPECT_EQ(hex16(digest), text(golden.at("digest")));
  EXPECT_EQ(evaluation.all.exact, hex_float(golden.at("exact_match")));
  EXPECT_EQ(evaluation.all.f1, hex_float(golden.at("f1")));
  EXPECT_LT(evaluation.f1_range.low, evaluation.all.f1);
  EXPECT_GT(evaluation.f1_range.high, evaluation.all.f1);
}

TEST(SquadMetrics, WholeDevFileV1) {
  check_dev_file("dev-v1.1", "v1", false);
}
TEST(SquadMetrics, WholeDevFileV2) {
  check_dev_file("dev-v2.0", "v2", true);
}

}  // namespace
}  // namespace lambert
