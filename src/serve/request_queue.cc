#include "serve/request_queue.h"

#include <system_error>
#include <utility>

#include "base/error.h"

namespace lambert {

RequestQueue::RequestQueue(std::size_t capacity, unsigned threads, Work work)
    : capacity_(capacity), work_(std::move(work)) {
  try {
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  } catch (const std::system_error& error) {
    close();
    fail(ErrorCode::kLimitExceeded, "cannot start a thread for requests: ", error.what());
  }
}

RequestQueue::~RequestQueue() {
  close();
}

bool RequestQueue::push(std::shared_ptr<HttpExchange> exchange) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || requests_.size() >= capacity_ + idle_) return false;
    requests_.push_back(std::move(exchange));
  }
  changed_.notify_one();
  return true;
}

bool RequestQueue::full() const {
  const std::lock_guard lock(mutex_);
  return closed_ || requests_.size() >= capacity_ + idle_;
}

std::size_t RequestQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return requests_.size();
}

void RequestQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void RequestQueue::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    changed_.wait(lock, [this] { return closed_ || !requests_.empty(); });
    --idle_;
    if (requests_.empty()) return;
    const std::shared_ptr<HttpExchange> exchange = std::move(requests_.front());
    requests_.pop_front();
    lock.unlock();
    work_(exchange);
    lock.lock();
  }
}

}  // namespace lambert
