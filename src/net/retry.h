// Doing something again when it fails in a way that may pass.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <string>

#include "net/network_error.h"
#include "net/socket.h"

namespace lambert {

struct RetryPolicy {
  int max_attempts = 3;                       // the first included, >= 1
  std::chrono::milliseconds first_wait{100};  // the longest before the second attempt; doubles
  std::chrono::milliseconds longest_wait{5'000};
};

// Waits between attempts are drawn evenly from 0 to their longest ("full jitter"), so that clients
// which failed together do not come back together. For one thread.
class Retrier {
 public:
  Retrier(const RetryPolicy& policy, const Waiting& waiting, std::uint64_t seed)
      : policy_(policy), waiting_(waiting), random_(seed) {}

  // The result of action(), called again as long as it throws a retryable NetworkError, attempts
  // are left and the next wait ends before `deadline`. Throws the last error, with the number of
  // attempts in its message; kCancelled while waiting.
  template <typename Action>
  auto run(TimePoint deadline, const Action& action) {
    for (int attempt = 1;; ++attempt) {
      try {
        return action();
      } catch (const NetworkError& error) {
        if (!error.retryable()) throw;
        wait_or_rethrow(error, attempt, deadline);
      }
    }
  }

 private:
  void wait_or_rethrow(const NetworkError& error, int attempt, TimePoint deadline);

  RetryPolicy policy_;
  Waiting waiting_;
  std::mt19937_64 random_;
};

}  // namespace lambert
