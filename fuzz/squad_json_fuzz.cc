// Any bytes as the input of `batch` and `eval`: told to be SQuAD JSON or lines, read and scored.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.h"
#include "eval/question_source.h"
#include "eval/squad_json.h"
#include "eval/squad_metrics.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// What a shorter prefix decided, a longer one must not decide otherwise; all of it must decide.
lambert::SquadGuess guess(std::string_view input) {
  using enum lambert::SquadGuess;
  const lambert::SquadGuess all = lambert::guess_squad(input, true);
  require(all == kYes || all == kNo);
  for (const std::size_t size :
       {input.size() / 3, input.size() / 2, input.size() - 1, input.size()}) {
    const lambert::SquadGuess part = lambert::guess_squad(input.substr(0, size), false);
    require(part == kUndecided || part == kUnlikely || part == all);
  }
  return all;
}

// The number of questions.
std::size_t parse_and_score(std::string_view input) {
  const lambert::SquadData data = lambert::parse_squad(input, "input");
  for (const lambert::SquadQuestion& question : data.questions) {
    require(question.context < data.contexts.size());
    const std::string& context = data.contexts[question.context];
    const double f1 = lambert::score_answer(context, question.answers, data.v2).f1;
    require(f1 >= 0 && f1 <= 1);
  }
  return data.questions.size();
}

// The same bytes as a file that is read in blocks. The number of questions and of bad lines.
std::size_t read_as_file(std::string_view input) {
  struct File {
    int descriptor = ::memfd_create("input", 0);
    ~File() { ::close(descriptor); }
  } file;
  require(::write(file.descriptor, input.data(), input.size()) ==
          static_cast<ssize_t>(input.size()));
  lambert::QuestionSource source("/proc/self/fd/" + std::to_string(file.descriptor), {}, 256);
  std::size_t count = 0;
  while (source.next()) ++count;
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const lambert::SquadGuess is_squad = guess(input);
  try {
    const std::size_t count = read_as_file(input);
    if (is_squad == lambert::SquadGuess::kYes) require(count == parse_and_score(input));
  } catch (const lambert::Error&) {
  }
  return 0;
}
