// The committed answers of the reference programs (tools/goldens/pipeline.py, modes.py).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lambert/lambert.h"

namespace lambert::test {

// SQuAD dev 1.1 and 2.0: what a golden case names by id.
class SquadTexts {
 public:
  // Absent where one of the files is missing (squad_data.h).
  static std::optional<SquadTexts> load();

  struct Item {
    std::string question;
    const std::string* context;
  };
  const Item& item(const std::string& file, const std::string& id) const {
    return items_.at(file).at(id);
  }
  std::string document(std::size_t first, std::size_t count) const;  // paragraphs of 1.1

 private:
  void add(const std::string& file, std::string_view json);

  std::map<std::string, std::map<std::string, Item>> items_;
  std::map<std::string, std::vector<std::unique_ptr<std::string>>> paragraphs_;
};

struct GoldenCase {
  std::string label;  // the line, but for the answers
  Question question;
  std::vector<Answer> expected;  // the leading answers
  bool complete = false;         // these are all
  std::optional<double> no_answer_score;
};

// The cases of tests/qa/data/`name`. Without `texts` only those that hold their own.
std::vector<GoldenCase> read_golden_cases(const std::string& name, Mode mode,
                                          const SquadTexts* texts);

// "" when `result` begins with the expected answers (is them, where they are complete), with scores
// within 1e-5 and none below the threshold; neighbours whose expected scores are closer than that
// may come in any order. Else what is different.
std::string difference(const GoldenCase& golden, const Result& result);

}  // namespace lambert::test
