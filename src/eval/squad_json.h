// SQuAD v1.1 and v2.0 JSON: {"version":..., "data":[{"paragraphs":[{"context", "qas":[...]}]}]}.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lambert {

inline constexpr std::size_t kMaxSquadBytes = std::size_t{1} << 30;

struct SquadQuestion {
  std::string id;  // JSON text: "\"56be4db0acb8001400a502ec\""
  std::string question;
  std::size_t context = 0;           // index into SquadData::contexts
  std::vector<std::string> answers;  // of the annotators; none for an unanswerable question
};

struct SquadData {
  std::vector<std::string> contexts;
  std::vector<SquadQuestion> questions;  // in the order of the file
  bool v2 = false;                       // has unanswerable questions, or says so
};

// Whether text that starts with `prefix` is SQuAD JSON and not a line: an object with an array
// named "data" whose first element has a member "paragraphs", or one that is all of the text and
// has such an array without that. A member "question" or "context" makes it a line, and so does
// what is no JSON. `whole`: nothing follows `prefix`.
enum class SquadGuess {
  kYes,
  kNo,
  kUndecided,  // more text is needed
  kUnlikely,   // so, too; there are members, but none that is SQuAD's
};
SquadGuess guess_squad(std::string_view prefix, bool whole);

// Throws kInvalidInput naming the place; a question without an id gets its number, from 1.
SquadData parse_squad(std::string_view text, std::string_view source);

}  // namespace lambert
