// The questions of an input, one after another: lines of JSON, or SQuAD JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "eval/line_reader.h"
#include "eval/squad_json.h"
#include "lambert/lambert.h"
#include "wire/question_line.h"

namespace lambert {

// Used by one thread. Lines are held one at a time, SQuAD JSON as a whole.
class QuestionSource {
 public:
  // `path` "-" is standard input. The format is told from the content. Throws kNotFound, kIo, and
  // kInvalidInput for damaged SQuAD JSON.
  QuestionSource(const std::string& path, const Parameters& defaults, std::size_t max_line_bytes);

  std::optional<QuestionLine> next();  // throws kIo
  bool ready();                        // next() need not wait for whoever writes the input
  double fraction() const;  // of the input, up to what next() gave; negative where not known
  const std::string& name() const { return lines_.name(); }

 private:
  LineReader lines_;
  Parameters defaults_;
  std::size_t max_line_bytes_;
  std::optional<SquadData> squad_;
  std::size_t next_ = 0;  // of squad_
};

}  // namespace lambert
