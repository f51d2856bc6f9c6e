// How long a command takes from its start:
//   bench_cold COUNT [--drop FILE...] -- COMMAND [ARG...]
// Runs COMMAND COUNT times, one after another, and prints a line for each: the ms from just before
// posix_spawn to the first byte of its standard output, and to its exit. Its standard input and
// standard error are /dev/null, its standard output is a pipe that is read to the end.
// With --drop (as often as one likes) the pages of each FILE leave the page cache before each run;
// pages that stay, because something has them mapped, are said on standard error. A command that
// cannot be started, fails or writes nothing ends it with status 1.
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
  int count = 0;
  std::vector<std::string> drop;
  char** command = nullptr;  // ends with null
};

struct Times {  // in ms, from the start
  double first = 0, exit = 0;
};

[[noreturn]] void fail(const std::string& what, int error) {
  throw std::system_error(error, std::generic_category(), what);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

// Throws std::invalid_argument.
Arguments parse(int argc, char** argv) {
  Arguments arguments;
  if (argc < 2) throw std::invalid_argument("COUNT is missing");
  const std::string_view count = argv[1];
  const auto [end, error] =
      std::from_chars(count.data(), count.data() + count.size(), arguments.count);
  if (error != std::errc() || end != count.data() + count.size() || arguments.count < 1) {
    throw std::invalid_argument("COUNT is '" + std::string(count) + "', expected 1 or more");
  }
  int i = 2;
  for (bool drops = false; i < argc && std::string_view(argv[i]) != "--"; ++i) {
    if (std::string_view(argv[i]) == "--drop") {
      drops = true;
    } else if (drops) {
      arguments.drop.emplace_back(argv[i]);
    } else {
      throw std::invalid_argument("'" + std::string(argv[i]) + "', expected --drop or --");
    }
  }
  if (i + 1 >= argc) throw std::invalid_argument("-- COMMAND is missing");
  arguments.command = argv + i + 1;
  return arguments;
}

// Pages of the open file that are in the page cache, and all of them.
struct Residency {
  std::size_t pages = 0, all = 0;
};

Residency residency(int fd, const std::string& path) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0) fail(path, errno);
  if (status.st_size == 0) return {};
  const auto size = static_cast<std::size_t>(status.st_size);
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) fail(path + ": mmap", errno);
  std::vector<unsigned char> pages((size + page - 1) / page);
  const int result = ::mincore(mapped, size, pages.data());
  const int error = errno;
  ::munmap(mapped, size);
  if (result != 0) fail(path + ": mincore", error);
  const auto here =
      std::count_if(pages.begin(), pages.end(), [](unsigned char p) { return (p & 1U) != 0; });
  return {static_cast<std::size_t>(here), pages.size()};
}

// Takes the file's pages out of the page cache, as far as the kernel does that.
void drop(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail(path, errno);
  if (::fsync(file.get()) != 0) fail(path + ": fsync", errno);  // dirty pages would stay
  const int error = ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
  if (error != 0) fail(path + ": posix_fadvise", error);
  const Residency left = residency(file.get(), path);
  if (left.pages == 0) return;
  std::fprintf(stderr,
               "bench_cold: %s: %zu of %zu pages stay in the page cache: something has them "
               "mapped, or locked\n",
               path.c_str(), left.pages, left.all);
}

pid_t spawn(char** command, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, command[0], &actions, nullptr, command, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail(command[0], error);
  return pid;
}

// Bytes read into a buffer that is thrown away; 0 at the end.
ssize_t read_some(int fd) {
  char buffer[65536];
  for (;;) {
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count >= 0) return count;
    if (errno != EINTR) fail("read", errno);
  }
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) fail("waitpid", errno);
  }
  return status;
}

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

Times run(char** command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe", errno);
  const Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  Times times;
  const auto begin = Clock::now();
  const pid_t pid = spawn(command, to.get());
  to.close();
  const bool wrote = read_some(from.get()) > 0;
  times.first = ms_since(begin);
  while (read_some(from.get()) > 0) {
  }
  const int status = wait_for(pid);
  times.exit = ms_since(begin);
  const std::string name = command[0];
  if (WIFSIGNALED(status)) {
    throw std::runtime_error(name + " ended by signal " + std::to_string(WTERMSIG(status)));
  }
  if (WEXITSTATUS(status) != 0) {
    throw std::runtime_error(name + " ended with status " + std::to_string(WEXITSTATUS(status)));
  }
  if (!wrote) throw std::runtime_error(name + " wrote nothing to its standard output");
  return times;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Arguments arguments = parse(argc, argv);
    for (int i = 0; i < arguments.count; ++i) {
      for (const std::string& path : arguments.drop) drop(path);
      const Times times = run(arguments.command);
      std::printf("%.3f %.3f\n", times.first, times.exit);
      std::fflush(stdout);
    }
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr,
                 "bench_cold: %s\n"
                 "usage: bench_cold COUNT [--drop FILE...] -- COMMAND [ARG...]\n",
                 error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_cold: %s\n", error.what());
    return 1;
  }
  return 0;
}
