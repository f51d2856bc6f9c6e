// The whole way from text to answers against the reference programs, over the default model.
#include <gtest/gtest.h>

#include <deque>

#include "golden_cases.h"

namespace lambert::test {
namespace {

const Answerer& answerer() {
  static const Answerer answerer([] {
    Options options;
    options.model = LAMBERT_SOURCE_DIR "/models/distilbert-minilm-squad";
    return options;
  }());
  return answerer;
}

const SquadTexts* squad_texts() {
  static const std::optional<SquadTexts> texts = SquadTexts::load();
  return texts ? &*texts : nullptr;
}

// Asks all questions, some at a time, and compares. The number compared.
std::size_t compare(const std::vector<GoldenCase>& cases) {
  constexpr std::size_t kAtATime = 16;
  std::deque<Pending> pending;
  std::size_t asked = 0, compared = 0, wrong = 0;
  for (const GoldenCase& golden : cases) {
    while (asked < cases.size() && pending.size() < kAtATime) {
      pending.push_back(answerer().submit(cases[asked++].question));
    }
    const std::string found = difference(golden, pending.front().wait());
    pending.pop_front();
    ++compared;
    if (!found.empty() && ++wrong <= 10) ADD_FAILURE() << found;
  }
  EXPECT_EQ(wrong, 0U) << "of " << compared << " cases";
  return compared;
}

// `in_file` cases stand there, `own` of them with texts of their own.
void compare_file(const std::string& name, Mode mode, std::size_t in_file, std::size_t own) {
  const std::vector<GoldenCase> cases = read_golden_cases(name, mode, squad_texts());
  std::vector<GoldenCase> chosen;
  for (std::size_t i = 0; i < cases.size(); i += LAMBERT_GOLDEN_STEP) chosen.push_back(cases[i]);
  const std::size_t compared = compare(chosen);
  const std::size_t expected = squad_texts() == nullptr ? own : in_file;
  EXPECT_GE(compared * LAMBERT_GOLDEN_STEP, expected);
  if (squad_texts() == nullptr) {
    GTEST_SKIP() << "LAMBERT_DATA has no SQuAD: only " << compared
                 << " cases with texts of their own were compared";
  }
}

TEST(PipelineTest, AnswersAreThoseOfTransformers) {
  compare_file("pipeline.jsonl", Mode::kHf, 2339, 506);
}

TEST(PipelineTest, AnswersAreThoseOfTheSquadScript) {
  compare_file("squad.jsonl", Mode::kSquad, 357, 29);
}

TEST(PipelineTest, AnswersAreThoseOfHaystack) {
  compare_file("calibrated.jsonl", Mode::kCalibrated, 355, 34);
}

}  // namespace
}  // namespace lambert::test
