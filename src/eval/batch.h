// A file of questions in, a file of results out, with resume.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "eval/in_order.h"
#include "lambert/lambert.h"

namespace lambert {

struct BatchProgress {
  std::size_t done = 0;     // results written, those of an earlier run included
  std::size_t failed = 0;   // of them, errors
  std::size_t resumed = 0;  // of them, those of an earlier run
  double fraction = -1;     // of the input that is answered; negative where not known
};

struct BatchOptions {
  std::string input = "-", output = "-";  // "-": standard input, standard output
  Parameters defaults;
  bool resume = false;
  std::size_t max_line_bytes = std::size_t{64} << 20;
  InFlight in_flight;
  std::function<void(const BatchProgress&)> progress;  // after each result; may be empty
};

// Answers every question of the input, one line of output each, in order; a line that cannot be
// answered becomes an error record. Throws kInvalidArgument where the output is the input or the
// results found do not belong to the input, kIo, kNotFound. What was written until then stays in
// OUTPUT.partial.
BatchProgress run_batch(const BatchOptions& options, const Submit& submit);

}  // namespace lambert
