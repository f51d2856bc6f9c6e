#include "serve/request_queue.h"

#include <algorithm>
#include <cstdio>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace lambert {

void TurnTimer::turn(Time now, bool others_wait) {
  constexpr std::size_t kTurns = 100;
  if (last_) {
    measured_ = std::min(measured_ + 1, kTurns);
    const double passed = std::chrono::duration<double>(now - *last_).count();
    mean_ += (passed - mean_) / static_cast<double>(measured_);
  }
  last_.reset();
  if (others_wait) last_ = now;
}

RequestQueue::RequestQueue(RequestQueueLimits limits, Work work)
    : limits_(limits), work_(std::move(work)) {
  try {
    for (unsigned i = 0; i < limits_.threads; ++i) threads_.emplace_back([this] { run(); });
  } catch (const std::system_error& error) {
    close();
    fail(ErrorCode::kLimitExceeded, "cannot start a thread for requests: ", error.what());
  }
}

RequestQueue::~RequestQueue() {
  close();
}

std::optional<std::string> RequestQueue::push(std::shared_ptr<HttpExchange> exchange,
                                              std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (auto why = refusal()) return why;
  requests_.push_back({std::move(exchange), bytes});
  wake_one();
  return std::nullopt;
}

std::optional<std::string> RequestQueue::full() const {
  const std::lock_guard lock(mutex_);
  return refusal();
}

std::optional<std::string> RequestQueue::refusal() const {
  if (closed_) return "the server is stopping";
  if (requests_.size() >= limits_.max_queue + limits_.threads - working_) {
    return "max_queue: " + std::to_string(limits_.max_queue) + " requests are waiting already";
  }
  if (const double wait = wait_s(); wait > limits_.max_wait_s) {
    char text[96];
    std::snprintf(text, sizeof text, "max_wait: it would take %.1f s until its turn, at most %g s",
                  wait, limits_.max_wait_s);
    return text;
  }
  return std::nullopt;
}

double RequestQueue::wait_s() const {
  if (requests_.size() + working_ < limits_.threads) return 0;
  return turns_.seconds() * static_cast<double>(requests_.size() + working_);
}

double RequestQueue::expected_wait_s() const {
  const std::lock_guard lock(mutex_);
  return wait_s();
}

std::size_t RequestQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return requests_.size();
}

void RequestQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    while (!resting_.empty()) wake_one();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

RequestQueue::Requests::iterator RequestQueue::next() {
  return std::find_if(requests_.begin(), requests_.end(), [this](const Request& request) {
    return bytes_ == 0 || bytes_ + request.bytes <= limits_.max_bytes;
  });
}

void RequestQueue::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (const auto chosen = next(); chosen != requests_.end()) {
      work_on(chosen, lock);
    } else if (closed_ && requests_.empty()) {
      return wake_one();  // one after another they end
    } else {
      rest(lock);
    }
  }
}

void RequestQueue::work_on(const Requests::iterator& chosen, std::unique_lock<std::mutex>& lock) {
  Request request = std::move(*chosen);
  requests_.erase(chosen);
  turns_.turn(std::chrono::steady_clock::now(), !requests_.empty());
  if (!requests_.empty()) wake_one();  // there may be room for more than one now
  bytes_ += request.bytes;
  ++working_;
  lock.unlock();
  work_(request.exchange);
  request.exchange.reset();
  lock.lock();
  --working_;
  bytes_ -= request.bytes;
}

void RequestQueue::rest(std::unique_lock<std::mutex>& lock) {
  Rest mine;
  resting_.push_back(&mine);
  mine.ended.wait(lock, [&mine] { return mine.awake; });
}

void RequestQueue::wake_one() {
  if (resting_.empty()) return;
  resting_.back()->awake = true;
  resting_.back()->ended.notify_one();
  resting_.pop_back();
}

}  // namespace lambert
