#include "base/partial_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"

namespace lambert {

void fail_errno(const std::string& name, const std::string& what) {
  const int number = errno;
  fail(ErrorCode::kIo, name, ": ", what, ": ", std::strerror(number));
}

int open_partial(const std::string& path, int flags) {
  for (;;) {
    const int fd = ::open(path.c_str(), O_CREAT | O_CLOEXEC | flags, 0666);
    if (fd < 0) fail_errno(path, "cannot be opened for writing");
    const bool held = ::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    // Another process may have finished in between: then this is its output, renamed.
    struct stat opened {
    }, named{};
    const bool same = !held && ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
                      opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
    if (same) return fd;
    ::close(fd);
    if (held) fail(ErrorCode::kIo, path, ": is being written by another process");
  }
}

void finish_partial(int fd, const std::string& partial, const std::string& path) {
  if (::fsync(fd) != 0) fail_errno(partial, "cannot be brought to the disk");
  if (::rename(partial.c_str(), path.c_str()) != 0) {
    fail_errno(partial, "cannot be renamed to " + path);
  }
  // The new name is on the disk only when the directory is.
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  const int parent = ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_CLOEXEC);
  if (parent < 0) return;
  ::fsync(parent);
  ::close(parent);
}

}  // namespace lambert
