#include "net/retry.h"

#include <algorithm>

#include "base/error.h"

namespace lambert {

void Retrier::wait_or_rethrow(const NetworkError& error, int attempt, TimePoint deadline) {
  using std::chrono::milliseconds;
  const milliseconds longest = std::min(
      policy_.longest_wait, milliseconds(policy_.first_wait.count() << std::min(attempt - 1, 20)));
  const milliseconds wait(
      std::uniform_int_distribution<milliseconds::rep>(0, longest.count())(random_));
  const TimePoint until = waiting_.clock->now() + wait;
  if (attempt >= policy_.max_attempts || until >= deadline) {
    throw NetworkError(Retry::kNo,
                       std::string(error.what()) + "; gave up after " + std::to_string(attempt) +
                           (attempt == 1 ? " attempt" : " attempts") +
                           (attempt < policy_.max_attempts ? ", as no time is left" : ""),
                       error.code());
  }
  if (waiting_.clock->wait(-1, 0, until, waiting_.cancel) == Clock::Wait::kCancelled) {
    fail(ErrorCode::kCancelled, "cancelled while waiting to try again: ", error.what());
  }
}

}  // namespace lambert
