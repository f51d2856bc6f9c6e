#include "eval/output_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"

namespace lambert {

namespace {

[[noreturn]] void fail_errno(std::string_view name, std::string_view what) {
  const int number = errno;
  fail(ErrorCode::kIo, name, ": ", what, ": ", std::strerror(number));
}

std::string display_name(const std::string& path) {
  return path == "-" ? "standard output" : path;
}

}  // namespace

void write_all(int fd, std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail_errno(name, "cannot be written");
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

std::string renameable(const std::string& path) {
  if (path == "-") return {};
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return path;
  if (!S_ISREG(status.st_mode)) return {};
  std::error_code error;
  const std::filesystem::path target = std::filesystem::canonical(path, error);
  return error ? path : target.string();
}

OutputFile::OutputFile(const std::string& path, bool resume) : path_(renameable(path)) {
  if (path_.empty()) {
    path_ = display_name(path);
    fd_ = path == "-" ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                      : ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd_ < 0) fail_errno(path_, "cannot be opened for writing");
    return;
  }
  partial_path_ = path_ + ".partial";
  try {
    open_partial();
    if (resume) {
      cut_torn_line();
    } else if (::ftruncate(fd_, 0) != 0) {
      fail_errno(partial_path_, "cannot be emptied");
    }
  } catch (...) {
    if (fd_ >= 0) ::close(fd_);
    throw;
  }
}

OutputFile::~OutputFile() {
  if (fd_ >= 0) ::close(fd_);
}

void OutputFile::open_partial() {
  for (;;) {
    fd_ = ::open(partial_path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd_ < 0) fail_errno(partial_path_, "cannot be opened for writing");
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      fail(ErrorCode::kIo, partial_path_, ": is being written by another process");
    }
    // Another process may have finished in between: then this is its output, renamed.
    struct stat opened {
    }, named{};
    if (::fstat(fd_, &opened) != 0) fail_errno(partial_path_, "cannot be examined");
    if (::stat(partial_path_.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
        opened.st_ino == named.st_ino) {
      return;
    }
    ::close(fd_);
    fd_ = -1;
  }
}

void OutputFile::cut_torn_line() {
  constexpr off_t kBlock = 1 << 16;
  char block[kBlock];
  off_t end = ::lseek(fd_, 0, SEEK_END);
  off_t keep = 0;  // behind the last line end
  while (end > 0 && keep == 0) {
    const off_t begin = end > kBlock ? end - kBlock : 0;
    const ssize_t got = ::pread(fd_, block, static_cast<std::size_t>(end - begin), begin);
    if (got < end - begin) fail_errno(partial_path_, "cannot be read");
    const std::size_t line_end = std::string_view(block, static_cast<std::size_t>(got)).rfind('\n');
    if (line_end != std::string_view::npos) keep = begin + static_cast<off_t>(line_end) + 1;
    end = begin;
  }
  if (::ftruncate(fd_, keep) != 0) fail_errno(partial_path_, "cannot be cut");
}

void OutputFile::append(std::string line) {
  line += '\n';
  write_all(fd_, line, partial_path_.empty() ? path_ : partial_path_);
}

void OutputFile::finish() {
  if (partial_path_.empty()) return;
  if (::fsync(fd_) != 0) fail_errno(partial_path_, "cannot be brought to the disk");
  if (::rename(partial_path_.c_str(), path_.c_str()) != 0) {
    fail_errno(partial_path_, "cannot be renamed to " + path_);
  }
  // The new name is on the disk only when the directory is.
  const std::filesystem::path directory = std::filesystem::path(path_).parent_path();
  const int fd = ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    ::fsync(fd);
    ::close(fd);
  }
}

}  // namespace lambert
