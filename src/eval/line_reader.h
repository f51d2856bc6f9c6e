// Lines of a file or stream, read in blocks, with a limit on their size.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lambert {

// Used by one thread. Lines end with \n (the last may lack it). Blank lines count but are not
// given, and a byte order mark at the start of the file is dropped. Holds one line and one block.
class LineReader {
 public:
  struct Line {
    std::size_t number = 0;  // from 1
    std::string_view text;   // without the line end; valid until the next call; empty if too_long
    bool too_long = false;   // more than max_bytes; what is left of it will be skipped
  };

  // `path` "-" is standard input. Throws kNotFound, kIo.
  LineReader(const std::string& path, std::size_t max_bytes);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  std::optional<Line> next();           // throws kIo
  bool ready();                         // next() need not wait for whoever writes the input
  std::string rest(std::size_t limit);  // all that was not given; throws kLimitExceeded, kIo

  // What was read and not given yet, to look ahead; read_more() makes it longer, by one read(2),
  // or returns false at the end.
  std::string_view buffered() const { return std::string_view(buffer_).substr(begin_); }
  bool read_more();
  bool readable() const;  // read_more() need not wait

  std::size_t bytes_given() const { return given_; }  // of the lines given so far
  std::size_t bytes_total() const { return total_; }  // 0 where that is not known: a pipe
  const std::string& name() const { return name_; }   // for messages

 private:
  bool find_line();
  void drop(std::size_t end);

  std::string name_;
  int fd_ = -1;
  std::size_t max_bytes_;
  std::string buffer_;  // read but not given: buffer_[begin_, size)
  std::size_t begin_ = 0;
  std::size_t searched_ = 0;  // no \n before buffer_[searched_]
  std::size_t number_ = 0, given_ = 0, total_ = 0;
  bool ended_ = false;     // there is no more to read
  bool skipping_ = false;  // the buffer begins inside a line that was given as too long
};

}  // namespace lambert
