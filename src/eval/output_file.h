// Lines of results on their way to a file that appears only when it is complete.
#pragma once

#include <string>
#include <string_view>

namespace lambert {

// Writes PATH.partial and renames it to PATH at the end. A path of "-" (standard output) or of
// something that is no regular file (a pipe, a device) is written to directly. Every line is one
// write(2), so a killed process leaves whole lines, but for the last.
class OutputFile {
 public:
  // Without `resume` an old .partial is emptied; with it, one is kept and a torn last line cut off.
  // Throws kIo, also where another process writes the same .partial.
  OutputFile(const std::string& path, bool resume);
  ~OutputFile();  // leaves the .partial where finish() was not called
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void append(std::string line);  // adds the line end. Throws kIo: disk full
  void finish();                  // to the disk, then under its name. Throws kIo

  // The path of the .partial; empty where there is none.
  const std::string& partial_path() const { return partial_path_; }

 private:
  void open_partial();  // fd_ = the locked file that bears the name partial_path_
  void cut_torn_line();

  std::string path_, partial_path_;
  int fd_ = -1;
};

// All of `text` to a descriptor; throws kIo naming `name`.
void write_all(int fd, std::string_view text, std::string_view name);

// Where `path` leads, symbolic links followed, if it can be written under another name first and
// then renamed: a regular file or nothing. Empty otherwise, and for "-".
std::string renameable(const std::string& path);

}  // namespace lambert
