// Time and waiting, as this layer sees them. Tests put a clock of their own in its place, so that
// they neither sleep nor depend on how fast a machine is.
#pragma once

#include <chrono>

namespace lambert {

using TimePoint = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;
inline constexpr TimePoint kNoDeadline = TimePoint::max();

// Lets one thread end the waiting of others, for good. Thread-safe; must outlive those who wait.
class Cancellation {
 public:
  Cancellation();  // throws kIo when there are no file descriptors left
  ~Cancellation();
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;
  void cancel() const noexcept;
  bool cancelled() const noexcept;
  int descriptor() const { return fd_; }  // readable once cancelled

 private:
  int fd_;
};

// Thread-safe.
class Clock {
 public:
  enum class Wait { kReady, kTimeout, kCancelled };

  virtual ~Clock() = default;
  virtual TimePoint now() const;
  virtual WallTime wall_time() const;
  // Until `fd` has one of poll's `events` (or an error or hang-up), `deadline` or cancellation.
  // A negative fd never becomes ready: then this sleeps. `cancel` may be null.
  virtual Wait wait(int fd, short events, TimePoint deadline, const Cancellation* cancel) const;
};

const Clock& real_clock();

// The earlier of `deadline` and now + `timeout`; a timeout of 0 means none.
TimePoint bounded(TimePoint deadline, std::chrono::milliseconds timeout, const Clock& clock);

}  // namespace lambert
