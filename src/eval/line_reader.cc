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

// Drops the rest of a long line and blank lines. Whether what next() gives then is there: a whole
// line, one that is longer than allowed, or the end.
bool LineReader::find_line() {
  for (;;) {
    const std::size_t line_end = buffer_.find('\n', searched_);
    const bool whole = line_end != std::string::npos || ended_;
    searched_ = std::min(line_end, buffer_.size());
    const std::string_view text(buffer_.data() + begin_, searched_ - begin_);
    if (skipping_) {
      drop(searched_);
      if (!whole) return false;
      skipping_ = false;
      continue;
    }
    if (text.size() > max_bytes_ || (ended_ && begin_ == buffer_.size())) return true;
    if (!whole) return false;
    if (text.find_first_not_of(" \t\r") != std::string_view::npos) return true;
    ++number_;
    drop(searched_);
  }
}

// Of the buffer, all before `end` and the line end there was given.
void LineReader::drop(std::size_t end) {
  const std::size_t next = std::min(end + 1, buffer_.size());
  given_ += next - begin_;
  begin_ = searched_ = next;
}

std::optional<LineReader::Line> LineReader::next() {
  while (!find_line()) read_more();
  if (begin_ == buffer_.size()) return std::nullopt;
  const std::string_view text(buffer_.data() + begin_, searched_ - begin_);
  const bool too_long = text.size() > max_bytes_;
  skipping_ = too_long && searched_ == buffer_.size();
  drop(searched_);
  return Line{++number_, too_long ? std::string_view() : text, too_long};
}

bool LineReader::readable() const {
  pollfd input{fd_, POLLIN, 0};
  return ended_ || ::poll(&input, 1, 0) > 0;
}

bool LineReader::ready() {
  while (!find_line()) {
    if (!readable()) return false;
    read_more();
  }
  return true;
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
