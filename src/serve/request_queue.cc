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

RequestQueue::Requests::iterator RequestQueue::next() {
  return std::find_if(requests_.begin(), requests_.end(), [this](const auto& exchange) {
    return bytes_ == 0 || bytes_ + exchange->body.size() <= max_bytes_;
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
    const std::shared_ptr<HttpExchange> exchange = std::move(*chosen);
    requests_.erase(chosen);
    const std::size_t size = exchange->body.size();
    bytes_ += size;
    lock.unlock();
    work_(exchange);
    lock.lock();
    bytes_ -= size;
    if (!requests_.empty()) changed_.notify_one();
  }
}

}  // namespace lambert
