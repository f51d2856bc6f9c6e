// Requests that wait for a thread, first come, first served.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "serve/http_server.h"

namespace lambert {

// Thread-safe. Owns the threads.
class RequestQueue {
 public:
  using Work = std::function<void(const std::shared_ptr<HttpExchange>&)>;  // must not throw

  // At most `capacity` requests wait while `threads` others are worked on, which have no more than
  // `max_bytes` together: a longer one is worked on alone, and one that would go beyond waits and
  // lets shorter ones pass. Throws kLimitExceeded when a thread cannot be started.
  RequestQueue(std::size_t capacity, unsigned threads, std::size_t max_bytes, Work work);
  ~RequestQueue();  // as close()

  // `bytes`: of the body, uncompressed. False: it is full or closed.
  bool push(std::shared_ptr<HttpExchange> exchange, std::size_t bytes);
  bool full() const;
  std::size_t waiting() const;
  std::size_t capacity() const { return capacity_; }
  // Returns when all that wait have been worked on.
  void close();

 private:
  struct Request {
    std::shared_ptr<HttpExchange> exchange;
    std::size_t bytes;
  };
  using Requests = std::deque<Request>;

  void run();
  Requests::iterator next();  // with the mutex: the first that may be worked on

  const std::size_t capacity_, max_bytes_;
  const Work work_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Requests requests_;
  std::size_t idle_ = 0;   // threads
  std::size_t bytes_ = 0;  // of the requests that are worked on
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lambert
