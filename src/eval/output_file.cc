#include "eval/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>

#include "base/error.h"
#include "base/partial_file.h"

namespace lambert {

namespace {

// Whether both are one regular file.
bool same_file(const struct stat& a, const struct stat& b) {
  return S_ISREG(a.st_mode) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// N where symbolic links lead from `path` to /proc/self/fd/N. The last link, to what is open there,
// is not followed.
std::optional<int> descriptor_by_name(std::filesystem::path path) {
  std::error_code error;
  const auto descriptors = std::filesystem::canonical("/proc/self/fd", error);
  path = std::filesystem::absolute(path, error);
  for (int links = 0; links < 40 && !error; ++links) {  // as many as the kernel follows
    if (std::filesystem::canonical(path.parent_path(), error) == descriptors) {
      const std::string name = path.filename();
      const char* end = name.data() + name.size();
      int fd = 0;
      const auto [stop, failed] = std::from_chars(name.data(), end, fd);
      return failed == std::errc() && stop == end ? std::optional(fd) : std::nullopt;
    }
    if (!error) path = path.parent_path() / std::filesystem::read_symlink(path, error);
  }
  return std::nullopt;
}

}  // namespace

void write_all(int fd, std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EPIPE) throw BrokenPipe(std::string(name) + ": its reader left");
    if (put < 0) fail_errno(std::string(name), "cannot be written");
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

std::optional<int> open_descriptor(const std::string& path) {
  if (path == "-") return STDOUT_FILENO;
  if (const auto fd = descriptor_by_name(path)) return fd;
  struct stat named {
  }, opened{};
  if (::stat(path.c_str(), &named) != 0) return std::nullopt;
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    if (::fstat(fd, &opened) == 0 && same_file(named, opened)) return fd;
  }
  return std::nullopt;
}

std::string renameable(const std::string& path) {
  if (open_descriptor(path)) return {};
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return path;
  if (!S_ISREG(status.st_mode)) return {};
  std::error_code error;
  const std::filesystem::path target = std::filesystem::canonical(path, error);
  return error ? path : target.string();
}

void check_not_input(const std::string& input, const std::string& output, std::string_view option) {
  struct stat read {
  }, written{};
  const auto same = [&](int status) { return status == 0 && same_file(read, written); };
  if ((input == "-" ? ::fstat(STDIN_FILENO, &read) : ::stat(input.c_str(), &read)) != 0) return;
  const auto fd = open_descriptor(output);
  if (same(fd ? ::fstat(*fd, &written) : ::stat(output.c_str(), &written))) {
    fail(ErrorCode::kInvalidArgument, option, " is the input file, ", quote(input));
  }
  const std::string target = renameable(output);
  if (!target.empty() && same(::stat((target + ".partial").c_str(), &written))) {
    fail(ErrorCode::kInvalidArgument, "the input ", quote(input), " is where the results for ",
         option, " are collected; rename it or choose another ", option);
  }
}

OutputFile::OutputFile(const std::string& path, Partial partial) : path_(renameable(path)) {
  if (path_.empty()) {
    path_ = path == "-" ? "standard output" : path;
    // A descriptor has a position and may append; opening its file anew would lose both.
    const auto opened = open_descriptor(path);
    fd_ =
        opened ? ::fcntl(*opened, F_DUPFD_CLOEXEC, 3) : ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd_ < 0) fail_errno(path_, "cannot be opened for writing");
    return;
  }
  partial_path_ = path_ + ".partial";
  try {
    fd_ = open_partial(partial_path_, O_RDWR | O_APPEND);
    if (partial == Partial::kResume) {
      cut_torn_line();
    } else if (::ftruncate(fd_, 0) != 0) {
      fail_errno(partial_path_, "cannot be emptied");
    }
  } catch (...) {
    if (fd_ >= 0) ::close(fd_);
    throw;
  }
  removes_partial_ = partial == Partial::kTemporary;
}

OutputFile::~OutputFile() {
  if (removes_partial_) ::unlink(partial_path_.c_str());
  if (fd_ >= 0) ::close(fd_);
}

void OutputFile::cut_torn_line() {
  constexpr off_t kTailBlock = 1 << 16;
  char block[kTailBlock];
  off_t end = ::lseek(fd_, 0, SEEK_END);
  off_t keep = 0;  // behind the last line end
  while (end > 0 && keep == 0) {
    const off_t begin = end > kTailBlock ? end - kTailBlock : 0;
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

void OutputFile::append_bytes(std::span<const std::byte> bytes) {
  write_all(fd_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()},
            partial_path_.empty() ? path_ : partial_path_);
}

void OutputFile::finish() {
  if (partial_path_.empty()) return;
  finish_partial(fd_, partial_path_, path_);
  removes_partial_ = false;  // what bears that name from now on is another's
}

}  // namespace lambert
