#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace lambert {

namespace {

// An open file descriptor, closed at the end of the scope.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

std::size_t open_regular(const std::string& path, Descriptor& file) {
  // O_NONBLOCK: a FIFO without a writer must not hold us up; regular files do not mind.
  file.fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file.fd < 0) {
    const auto code = errno == ENOENT || errno == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo;
    fail(code, path, ": cannot be opened: ", std::strerror(errno));
  }
  struct stat status {};
  if (::fstat(file.fd, &status) != 0) fail(ErrorCode::kIo, path, ": ", std::strerror(errno));
  if (!S_ISREG(status.st_mode)) {
    fail(ErrorCode::kIo, path, ": is ", S_ISDIR(status.st_mode) ? "a directory" : "not a file",
         ", expected a regular file");
  }
  return static_cast<std::size_t>(status.st_size);
}

}  // namespace

MappedFile::MappedFile(const std::string& path) : path_(path) {
  Descriptor file{-1};
  size_ = open_regular(path, file);
  if (size_ == 0) return;
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (address == MAP_FAILED) {
    fail(ErrorCode::kIo, path, ": cannot be mapped (", size_, " bytes): ", std::strerror(errno));
  }
  data_ = static_cast<const std::byte*>(address);
}

MappedFile MappedFile::in_memory(std::string path, std::size_t size) {
  MappedFile file;
  file.path_ = std::move(path);
  file.in_memory_ = true;
  if (size == 0) return file;
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) {
    fail(ErrorCode::kLimitExceeded, file.path_, ": no memory for its ", size,
         " bytes: ", std::strerror(errno));
  }
  file.data_ = static_cast<const std::byte*>(address);
  file.size_ = size;
  return file;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      in_memory_(std::exchange(other.in_memory_, false)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(in_memory_, other.in_memory_);
  return *this;
}

std::span<std::byte> MappedFile::writable() {
  if (!in_memory_) fail(ErrorCode::kInternal, path_, ": a mapped file is not for writing");
  return {const_cast<std::byte*>(data_), size_};
}

void MappedFile::release(std::span<const std::byte> part) const {
  // Only whole pages inside the part: neighbours may be in use.
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  if (part.empty()) return;
  const auto begin = static_cast<std::size_t>(part.data() - data_);
  const std::size_t first = (begin + page - 1) / page * page;
  const std::size_t last = (begin + part.size()) / page * page;
  if (first < last) {
    ::madvise(const_cast<std::byte*>(data_) + first, last - first, MADV_DONTNEED);
  }
}

std::string read_file(const std::string& path, std::size_t max_bytes) {
  Descriptor file{-1};
  const std::size_t size = open_regular(path, file);
  if (size > max_bytes) {
    fail(ErrorCode::kLimitExceeded, path, ": has ", size, " bytes, at most ", max_bytes,
         " are accepted");
  }
  std::string content(size, '\0');
  for (std::size_t done = 0; done < size;) {
    const ssize_t got = ::read(file.fd, content.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(ErrorCode::kIo, path, ": ", std::strerror(errno));
    if (got == 0) fail(ErrorCode::kIo, path, ": ended after ", done, " of ", size, " bytes");
    done += static_cast<std::size_t>(got);
  }
  return content;
}

}  // namespace lambert
