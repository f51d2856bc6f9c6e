#include "eval/question_source.h"

#include <utility>

#include "base/error.h"

namespace lambert {

namespace {

// SQuAD files say "data" within their first bytes; what has not after so many is taken for lines.
constexpr std::size_t kLookAhead = std::size_t{1} << 16;

bool looks_like_squad(LineReader& lines) {
  for (;;) {
    const bool more = lines.read_more();
    const std::string_view text = lines.buffered();
    const SquadGuess guess = guess_squad(text, !more);
    if (guess == SquadGuess::kYes || guess == SquadGuess::kNo) return guess == SquadGuess::kYes;
    if (text.size() >= kLookAhead) return false;
    // Whoever sent a line may wait for its answer before sending more.
    const bool has_line =
        text.find('\n', text.find_first_not_of(" \t\r\n")) != std::string_view::npos;
    if (guess == SquadGuess::kUnlikely && has_line && !lines.readable()) return false;
  }
}

}  // namespace

QuestionSource::QuestionSource(const std::string& path, const Parameters& defaults,
                               std::size_t max_line_bytes)
    : lines_(path, max_line_bytes), defaults_(defaults), max_line_bytes_(max_line_bytes) {
  if (!looks_like_squad(lines_)) return;
  squad_ = parse_squad(lines_.rest(kMaxSquadBytes), lines_.name());
}

std::optional<QuestionLine> QuestionSource::next() {
  if (squad_) {
    if (next_ == squad_->questions.size()) return std::nullopt;
    const SquadQuestion& from = squad_->questions[next_++];
    Question question;
    question.question = from.question;
    question.context = squad_->contexts[from.context];
    question.parameters = defaults_;
    return QuestionLine{from.id, std::move(question)};
  }
  const auto line = lines_.next();
  if (!line) return std::nullopt;
  if (!line->too_long) {
    return read_question_line(line->text, line->number, defaults_, max_line_bytes_);
  }
  return QuestionLine{
      std::to_string(line->number),
      Error(ErrorCode::kLimitExceeded, "line " + std::to_string(line->number) + ": more than " +
                                           std::to_string(max_line_bytes_) +
                                           " bytes; split it or raise --max-line-bytes")};
}

bool QuestionSource::ready() {
  return squad_ || lines_.ready();
}

double QuestionSource::fraction() const {
  if (squad_) {
    return static_cast<double>(next_) / static_cast<double>(squad_->questions.size());
  }
  if (lines_.bytes_total() == 0) return -1;
  return static_cast<double>(lines_.bytes_given()) / static_cast<double>(lines_.bytes_total());
}

}  // namespace lambert
