// Requests that wait for a thread, first come, first served.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "serve/http_server.h"

namespace lambert {

// The mean time between two requests whose turn comes, while others wait. From the hundredth on a
// new one counts a hundredth.
class TurnTimer {
 public:
  using Time = std::chrono::steady_clock::time_point;

  void turn(Time now, bool others_wait);
  double seconds() const { return mean_; }  // 0: nothing has waited yet

 private:
  std::optional<Time> last_;  // none: nothing waited since
  std::size_t measured_ = 0;
  double mean_ = 0;
};

struct RequestQueueLimits {
  unsigned threads = 64;
  std::size_t max_queue = 256;                    // requests that wait
  double max_wait_s = 2;                          // for all that came before, by estimate
  std::size_t max_bytes = std::size_t{64} << 20;  // of the bodies that are worked on
};

// Thread-safe. Owns the threads. A request goes to the thread that has rested for the shortest
// time: where few are needed, the caches and heaps of the others are never touched.
class RequestQueue {
 public:
  using Work = std::function<void(const std::shared_ptr<HttpExchange>&)>;  // must not throw

  // A request of more than max_bytes is worked on alone, and one that would go beyond them together
  // with others waits and lets shorter ones pass. Throws kLimitExceeded when a thread cannot be
  // started.
  RequestQueue(RequestQueueLimits limits, Work work);
  ~RequestQueue();  // as close()

  // Why no further request is accepted, if so: names the limit.
  std::optional<std::string> full() const;
  // `bytes`: of the body, uncompressed.
  std::optional<std::string> push(std::shared_ptr<HttpExchange> exchange, std::size_t bytes);
  std::size_t waiting() const;
  double expected_wait_s() const;  // of a request that comes now
  const RequestQueueLimits& limits() const { return limits_; }
  // Returns when all that wait have been worked on.
  void close();

 private:
  struct Request {
    std::shared_ptr<HttpExchange> exchange;
    std::size_t bytes;
  };
  using Requests = std::deque<Request>;

  // A thread without work, which whoever wakes it takes off `resting_`.
  struct Rest {
    std::condition_variable ended;
    bool awake = false;
  };

  void run();
  // These with the mutex:
  std::optional<std::string> refusal() const;
  double wait_s() const;
  void work_on(const Requests::iterator& chosen, std::unique_lock<std::mutex>& lock);
  void rest(std::unique_lock<std::mutex>& lock);
  void wake_one();
  Requests::iterator next();  // the first that may be worked on

  const RequestQueueLimits limits_;
  const Work work_;
  mutable std::mutex mutex_;
  Requests requests_;
  TurnTimer turns_;
  std::vector<Rest*> resting_;
  std::size_t working_ = 0;  // threads
  std::size_t bytes_ = 0;    // of the requests that are worked on
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lambert
