#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

extern char** environ;

namespace lambert {

namespace {

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  }
  ~Pipe() {
    close(0);
    close(1);
  }
  int operator[](std::size_t i) const { return ends[i]; }
  void close(std::size_t i) {
    if (ends[i] >= 0) ::close(ends[i]);
    ends[i] = -1;
  }
};

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment(const std::vector<std::string>& added) {
  std::vector<std::string> all;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (!text.starts_with("LAMBERT_")) all.push_back(text);
  }
  all.insert(all.begin(), added.begin(), added.end());
  return all;
}

// Feeds `input` and collects both outputs until all are closed.
void talk(Pipe& in, Pipe& out, Pipe& err, const std::string& input, Ended& result) {
  std::size_t sent = 0;
  if (input.empty()) in.close(1);
  while (out[0] >= 0 || err[0] >= 0) {
    std::array<pollfd, 3> waiting{pollfd{out[0], POLLIN, 0}, pollfd{err[0], POLLIN, 0},
                                  pollfd{in[1], POLLOUT, 0}};
    ::poll(waiting.data(), waiting.size(), -1);
    const auto take = [](Pipe& pipe, const pollfd& state, std::string& text) {
      if (state.fd < 0 || state.revents == 0) return;
      std::array<char, 65536> block;
      const ssize_t got = ::read(pipe[0], block.data(), block.size());
      if (got > 0) text.append(block.data(), static_cast<std::size_t>(got));
      if (got <= 0) pipe.close(0);
    };
    take(out, waiting[0], result.out);
    take(err, waiting[1], result.err);
    if (in[1] >= 0 && waiting[2].revents != 0) {
      const ssize_t put = ::write(in[1], input.data() + sent, input.size() - sent);
      if (put > 0) sent += static_cast<std::size_t>(put);
      if (put < 0 || sent == input.size()) in.close(1);
    }
  }
}

}  // namespace

Ended run(const std::vector<std::string>& arguments, const RunOptions& options) {
  ::signal(SIGPIPE, SIG_IGN);  // a child that does not read its input
  Pipe in, out, err;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  if (options.out_path.empty()) {
    ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  } else {
    ::posix_spawn_file_actions_addopen(&actions, 1, options.out_path.c_str(), O_WRONLY | O_CREAT,
                                       0666);
  }
  ::posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  for (const int fd : options.closed) ::posix_spawn_file_actions_addclose(&actions, fd);
  std::vector<std::string> words{LAMBERT_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = environment(options.environment);
  if (options.close_out) out.close(0);
  if (options.close_err) err.close(0);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, LAMBERT_PROGRAM, &actions, nullptr, pointers(words).data(),
                                  pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("posix_spawn " LAMBERT_PROGRAM);
  in.close(0);
  out.close(1);
  err.close(1);

  Ended result;
  if (options.meanwhile) options.meanwhile(pid, out[0]);
  talk(in, out, err, options.input, result);
  int status = 0;
  rusage used{};
  ::wait4(pid, &status, 0, &used);
  result.peak_bytes = static_cast<std::size_t>(used.ru_maxrss) * 1024;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace lambert
