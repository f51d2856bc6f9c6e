// The program as the `bootstrap` of an AWS Lambda function.
#pragma once

namespace lambert {

// Whether Lambda started the program: its Runtime API is there, and there is no command, or the
// program is called bootstrap.
bool is_lambda(int argc, const char* const* argv);

// Serves events until Lambda ends the process. Returns the exit code.
int run_as_lambda();

}  // namespace lambert
