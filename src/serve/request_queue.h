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

  // At most `capacity` requests wait while `threads` others are worked on. Throws kLimitExceeded
  // when a thread cannot be started.
  RequestQueue(std::size_t capacity, unsigned threads, Work work);
  ~RequestQueue();  // as close()

  bool push(std::shared_ptr<HttpExchange> exchange);  // false: it is full or closed
  bool full() const;
  std::size_t waiting() const;
  std::size_t capacity() const { return capacity_; }
  // Returns when all that wait have been worked on.
  void close();

 private:
  void run();

  const std::size_t capacity_;
  const Work work_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<HttpExchange>> requests_;
  std::size_t idle_ = 0;  // threads
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lambert
