#include "eval/line_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace lambert {

namespace {

constexpr std::size_t kBlock = std::size_t{1} << 16;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

LineReader::LineReader(const std::string& path, std::size_t max_bytes)
    : name_(path == "-" ? "standard input" : path), max_bytes_(max_bytes) {
  fd_ = path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                    : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) {
    const auto code = errno == ENOENT || errno == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo;
    fail(code, name_, ": cannot be opened: ", std::strerror(errno));
  }
  struct stat status {};
  if (::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode)) {
    total_ = static_cast<std::size_t>(status.st_size);
  }
}

LineReader::~LineReader() {
  if (fd_ >= 0) ::close(fd_);
}

bool LineReader::read_more() {
  if (ended_) return false;
  if (begin_ > 0 && begin_ >= buffer_.size() / 2) {
    buffer_.erase(0, begin_);
    searched_ -= begin_;
    begin_ = 0;
  }
  const std::size_t size = buffer_.size();
  buffer_.resize(size + kBlock);
  ssize_t got = 0;
  do {
    got = ::read(fd_, buffer_.data() + size, kBlock);
  } while (got < 0 && errno == EINTR);
  buffer_.resize(size + (got > 0 ? static_cast<std::size_t>(got) : 0));
  if (got < 0) fail(ErrorCode::kIo, name_, ": cannot be read: ", std::strerror(errno));
  ended_ = got == 0;
  if (size == 0 && given_ == 0 && buffer_.starts_with(kByteOrderMark)) {
    buffer_.erase(0, kByteOrderMark.size());
  }
  return !ended_;
}

// Reads until the buffer holds a whole line or more than the limit; where that line ends.
std::size_t LineReader::find_line_end() {
  for (;;) {
    const std::size_t end = buffer_.find('\n', searched_);
    if (end != std::string::npos) return end;
    searched_ = buffer_.size();
    if (buffer_.size() - begin_ > max_bytes_ || !read_more()) return buffer_.size();
  }
}

std::optional<LineReader::Line> LineReader::next() {
  for (;;) {
    std::size_t end = find_line_end();
    if (begin_ == buffer_.size()) return std::nullopt;
    ++number_;
    const bool too_long = end - begin_ > max_bytes_;
    while (too_long && end == buffer_.size()) {  // drop what was read of it
      given_ += end - begin_;
      buffer_.clear();
      begin_ = searched_ = end = 0;
      if (!read_more()) break;
      end = std::min(buffer_.find('\n'), buffer_.size());
    }
    const std::size_t begin = begin_;
    begin_ = searched_ = end < buffer_.size() ? end + 1 : end;
    given_ += begin_ - begin;
    const std::string_view text(buffer_.data() + begin, end - begin);
    if (too_long) return Line{number_, {}, true};
    if (text.find_first_not_of(" \t\r") != std::string_view::npos)
      return Line{number_, text, false};
  }
}

bool LineReader::ready() const {
  if (ended_ || buffer_.find('\n', searched_) != std::string::npos) return true;
  pollfd input{fd_, POLLIN, 0};
  return ::poll(&input, 1, 0) != 0;
}

std::string LineReader::rest(std::size_t limit) {
  bool more = true;
  while (more) {  // a file's size tells before it is read
    if (std::max(buffer_.size() - begin_, total_ - std::min(given_, total_)) > limit) {
      fail(ErrorCode::kLimitExceeded, name_, ": more than ", limit, " bytes");
    }
    more = read_more();
  }
  std::string text = buffer_.substr(begin_);
  given_ += text.size();
  begin_ = searched_ = buffer_.size();
  return text;
}

}  // namespace lambert
