#include "standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string_view>

#include "output.h"

namespace lambert {

namespace {

void interrupted(int) {
  constexpr std::string_view kMessage = "\nlambert: interrupted\n";
  [[maybe_unused]] const ssize_t put = ::write(STDERR_FILENO, kMessage.data(), kMessage.size());
  ::_exit(kExitInterrupted);
}

}  // namespace

bool open_standard_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free descriptor is the one that is opened.
    if (::open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY) != fd) return false;
  }
  return true;
}

void set_signals() {
  std::signal(SIGPIPE, SIG_IGN);  // of standard error nobody need read a word
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is an error like a full disk
  if (std::signal(SIGINT, interrupted) == SIG_IGN) std::signal(SIGINT, SIG_IGN);  // nohup, `&`
}

int end_of_broken_pipe() {
  std::signal(SIGPIPE, SIG_DFL);
  std::raise(SIGPIPE);
  return kExitBrokenPipe;  // the signal is blocked
}

}  // namespace lambert
