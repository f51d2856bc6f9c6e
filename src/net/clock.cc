#include "net/clock.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/error.h"

namespace lambert {

namespace {

// For poll: rounded up, so that a wait does not end before its deadline; cut, as it is repeated.
int poll_timeout(TimePoint now, TimePoint deadline) {
  constexpr std::chrono::milliseconds kLongest{60'000};
  if (deadline == kNoDeadline) return -1;
  if (deadline <= now) return 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      std::min<std::chrono::steady_clock::duration>(deadline - now, kLongest));
  return static_cast<int>(left.count());
}

}  // namespace

Cancellation::Cancellation() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) fail(ErrorCode::kIo, "eventfd: ", std::strerror(errno));
}

Cancellation::~Cancellation() {
  ::close(fd_);
}

void Cancellation::cancel() const noexcept {
  const std::uint64_t one = 1;
  // Can fail only once the counter is at its maximum, and then it is cancelled.
  [[maybe_unused]] const ssize_t written = ::write(fd_, &one, sizeof one);
}

bool Cancellation::cancelled() const noexcept {
  pollfd entry{fd_, POLLIN, 0};
  return ::poll(&entry, 1, 0) > 0;
}

TimePoint Clock::now() const {
  return std::chrono::steady_clock::now();
}

WallTime Clock::wall_time() const {
  return std::chrono::system_clock::now();
}

Clock::Wait Clock::wait(int fd, short events, TimePoint deadline,
                        const Cancellation* cancel) const {
  pollfd entries[2] = {{fd, events, 0}, {cancel != nullptr ? cancel->descriptor() : -1, POLLIN, 0}};
  for (;;) {
    const int ready = ::poll(entries, 2, poll_timeout(now(), deadline));
    if (ready < 0 && errno != EINTR) fail(ErrorCode::kIo, "poll: ", std::strerror(errno));
    if (ready > 0) return entries[1].revents != 0 ? Wait::kCancelled : Wait::kReady;
    // The clock is read anew: the process may have been frozen meanwhile.
    if (ready == 0 && now() >= deadline) return Wait::kTimeout;
  }
}

const Clock& real_clock() {
  static const Clock clock;
  return clock;
}

TimePoint bounded(TimePoint deadline, std::chrono::milliseconds timeout, const Clock& clock) {
  if (timeout.count() == 0) return deadline;
  return std::min(deadline, clock.now() + timeout);
}

}  // namespace lambert
