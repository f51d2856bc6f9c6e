// A stream of bytes in both directions: a socket, or TLS over one.
#pragma once

#include <cstddef>
#include <span>

#include "net/clock.h"

namespace lambert {

// Used by one thread at a time. Deadlines are absolute; kNoDeadline blocks without limit. Failures
// are NetworkErrors that name the peer, cancellation is an Error with kCancelled.
class Connection {
 public:
  virtual ~Connection() = default;
  // Waits for at least one byte; 0 at the end of the stream. `buffer` is not empty.
  virtual std::size_t read(std::span<std::byte> buffer, TimePoint deadline) = 0;
  // All of `bytes`.
  virtual void write(std::span<const std::byte> bytes, TimePoint deadline) = 0;
  // Whether the peer has sent nothing since the last read, neither bytes nor the end: what an idle
  // connection must be like to be used once more. Does not wait.
  virtual bool is_quiet() = 0;
};

}  // namespace lambert
