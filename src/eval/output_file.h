// Lines of results on their way to a file that appears only when it is complete.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lambert/lambert.h"

namespace lambert {

// Whoever read what is written has left, and wants no more. A kIo.
class BrokenPipe : public Error {
 public:
  explicit BrokenPipe(const std::string& message) : Error(ErrorCode::kIo, message) {}
};

enum class Partial {
  kNew,        // an old .partial is emptied
  kResume,     // an old .partial is kept, but for a torn last line
  kTemporary,  // as kNew, and removed where finish() was not called
};

// Writes PATH.partial and renames it to PATH at the end. A path of "-" (standard output), of
// another open descriptor or of something that is no regular file (a pipe, a device) is written to
// directly. Every line is one write(2), so a killed process leaves whole lines, but for the last.
class OutputFile {
 public:
  // Throws kIo, also where another process writes the same .partial.
  OutputFile(const std::string& path, Partial partial);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void append(std::string line);                        // adds the line end. Throws kIo: disk full
  void append_bytes(std::span<const std::byte> bytes);  // as they are; throws kIo
  void finish();  // to the disk, then under its name. Throws kIo

  // The path of the .partial; empty where there is none.
  const std::string& partial_path() const { return partial_path_; }

 private:
  void cut_torn_line();

  std::string path_, partial_path_;
  int fd_ = -1;
  bool removes_partial_ = false;
};

// All of `text` to a descriptor; throws kIo naming `name`, as BrokenPipe where SIGPIPE is ignored.
void write_all(int fd, std::string_view text, std::string_view name);

// Where `path` leads, symbolic links followed, if it can be written under another name first and
// then renamed: a regular file or nothing. Empty otherwise, and for what is open already.
std::string renameable(const std::string& path);

// The descriptor that `path` is a name of: "-", /dev/stdout, /dev/fd/N or the regular file that
// standard output or error was redirected to. A file put in that one's place would take away what
// else is written there.
std::optional<int> open_descriptor(const std::string& path);

// Throws kInvalidArgument where writing `output`, the value of `option`, would overwrite `input`
// ("-": standard input).
void check_not_input(const std::string& input, const std::string& output, std::string_view option);

}  // namespace lambert
