// What the program was started with: descriptors 0, 1 and 2, and what signals do.
#pragma once

namespace lambert {

// Opens those of the three that are closed, else a file that is opened later would take their place
// and get reports among its results. Reading and writing there fails as it would on a closed one;
// what goes to standard error is dropped. False where that cannot be done.
bool open_standard_streams();

// Ctrl-C says so and ends with exit code 130, unless whoever started the program had it ignored;
// writing to a pipe that nobody reads, or beyond a limit on the size of files, is an error.
void set_signals();

// Ends as the signal of a pipe that nobody reads would have: exit code 141 in a shell.
int end_of_broken_pipe();

}  // namespace lambert
