// Standard output and error of the program, and its exit codes.
#pragma once

#include <string>
#include <string_view>

#include "lambert/lambert.h"

namespace lambert {

enum ExitCode {
  kExitOk = 0,
  kExitFailure = 1,  // reading, writing, an input that cannot be used
  kExitUsage = 2,
  kExitModel = 3,          // missing, damaged or not supported
  kExitNetwork = 4,        // S3, the Hub or another server: not reached, or refuses
  kExitDiffers = 5,        // a receipt that does not hold
  kExitPartial = 6,        // some questions of many failed
  kExitInterrupted = 130,  // Ctrl-C
  kExitBrokenPipe = 141    // whoever read the output left
};

// What went wrong while a model was opened: exit code 3 also for a file that is not there.
class ModelError : public Error {
 public:
  using Error::Error;
};

int exit_code(const Error& error);

void print(std::string_view text);           // to standard output; throws kIo
void print_error(std::string_view message);  // "lambert: <message>" to standard error, if it can

// A prompt for people is in order: a terminal at the other end.
bool output_is_terminal();
bool errors_are_terminal();
bool colors_wanted();  // standard output is a terminal, NO_COLOR is not set, TERM is not dumb

// Without control characters (which a terminal would obey), line ends as spaces.
std::string for_terminal(std::string_view text);

}  // namespace lambert
