#include "serve/request_queue.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace lambert {

RequestQueue::RequestQueue(std::size_t capacity, unsigned threads, std::size_t max_bytes, Work work)
    : capacity_(capacity), max_bytes_(max_bytes), work_(std::move(work)) {
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

bool RequestQueue::push(std::shared_ptr<HttpExchange> exchange, std::size_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || requests_.size() >= capacity_ + idle_) return false;
    requests_.push_back({std::move(exchange), bytes});
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

RequestQueue::Requests::iterator RequestQueue::next() {
  return std::find_if(requests_.begin(), requests_.end(), [this](const Request& request) {
    return bytes_ == 0 || bytes_ + request.bytes <= max_bytes_;
  });
}

void RequestQueue::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    changed_.wait(lock,
                  [this] { return (closed_ && requests_.empty()) || next() != requests_.end(); });
    --idle_;
    if (requests_.empty()) return;
    const auto chosen = next();
    Request request = std::move(*chosen);
    requests_.erase(chosen);
    bytes_ += request.bytes;
    lock.unlock();
    work_(request.exchange);
    request.exchange.reset();
    lock.lock();
    bytes_ -= request.bytes;
    if (!requests_.empty()) changed_.notify_one();
  }
}

}  // namespace lambert
