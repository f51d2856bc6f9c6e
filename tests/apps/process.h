// Runs the built program as a user would, and says what it did.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace lambert {

// The default model.
inline const std::string kModel = LAMBERT_SOURCE_DIR "/models/distilbert-minilm-squad";

struct Ended {
  int exit_code = -1;  // 128 + signal where one ended it
  std::string out, err;
  std::size_t peak_bytes = 0;  // of resident memory
};

struct RunOptions {
  std::string input;                                // standard input, then its end
  std::vector<std::string> environment;             // NAME=VALUE, added
  std::string out_path;                             // standard output to this file instead
  bool close_out = false, close_err = false;        // nobody reads standard output, error
  std::vector<int> closed;                          // descriptors that are not open at the start
  std::function<void(int pid, int out)> meanwhile;  // while it runs; out: its standard output
};

Ended run(const std::vector<std::string>& arguments, const RunOptions& options = {});

}  // namespace lambert
