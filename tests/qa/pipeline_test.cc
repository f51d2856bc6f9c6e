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
  static const std::optional<SquadTexts> texts =
      SquadTexts::load(LAMBERT_SOURCE_DIR "/../shared/data");
  return texts ? &*texts : nullptr;
}

// Asks all questions, some at a time, and compares.
void compare(const std::vector<GoldenCase>& cases) {
  constexpr std::size_t kAtATime = 16;
  std::deque<Pending> pending;
  std::size_t asked = 0, wrong = 0;
  for (const GoldenCase& golden : cases) {
    while (asked < cases.size() && pending.size() < kAtATime) {
      pending.push_back(answerer().submit(cases[asked++].question));
    }
    const std::string found = difference(golden, pending.front().wait());
    pending.pop_front();
    if (!found.empty() && ++wrong <= 10) ADD_FAILURE() << found;
  }
  EXPECT_EQ(wrong, 0U) << "of " << cases.size() << " cases";
}

void compare_file(const std::string& name, Mode mode, std::size_t at_least) {
  const std::vector<GoldenCase> cases = read_golden_cases(name, mode, squad_texts());
  std::vector<GoldenCase> chosen;
  for (std::size_t i = 0; i < cases.size(); i += LAMBERT_GOLDEN_STEP) chosen.push_back(cases[i]);
  compare(chosen);
  if (squad_texts() == nullptr) {
    GTEST_SKIP() << "../shared/data has no SQuAD: only the " << chosen.size()
                 << " cases with texts of their own were compared";
  }
  EXPECT_GE(cases.size(), at_least);
}

TEST(PipelineTest, AnswersAreThoseOfTransformers) {
  compare_file("pipeline.jsonl", Mode::kHf, 2000);
}

TEST(PipelineTest, AnswersAreThoseOfTheSquadScript) {
  compare_file("squad.jsonl", Mode::kSquad, 200);
}

TEST(PipelineTest, AnswersAreThoseOfHaystack) {
  compare_file("calibrated.jsonl", Mode::kCalibrated, 200);
}

}  // namespace
}  // namespace lambert::test
