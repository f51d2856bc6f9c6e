// Threads that run one parallel loop at a time. The caller takes part, so a pool of one has none.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace lambert {

// Threads worth running: the CPUs of the affinity mask, cut to the cgroup's CPU quota (v1 and v2),
// at least 1.
unsigned default_threads();

// parallel_for may be called by one thread at a time; the owner sees to that.
class ThreadPool {
 public:
  // `threads` includes the caller, >= 1. Throws kLimitExceeded when one cannot be started.
  explicit ThreadPool(unsigned threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  unsigned threads() const { return static_cast<unsigned>(workers_.size()) + 1; }

  // Calls body(task, thread) for each task in [0, tasks), thread in [0, threads()), and returns
  // when all are done. `body` must not throw.
  template <typename Body>
  void parallel_for(std::size_t tasks, const Body& body) {
    run(tasks, &body, [](const void* opaque, std::size_t task, unsigned thread) {
      (*static_cast<const Body*>(opaque))(task, thread);
    });
  }

 private:
  using Call = void (*)(const void* body, std::size_t task, unsigned thread);
  void run(std::size_t tasks, const void* body, Call call);
  void work(unsigned thread);
  void stop();
  void take_tasks(unsigned thread);

  // The loop that runs now; written by the caller before generation_ moves on.
  const void* body_ = nullptr;
  Call call_ = nullptr;
  std::size_t tasks_ = 0;
  std::atomic<std::size_t> next_task_{0};

  std::atomic<std::uint64_t> generation_{0};  // number of the loop
  std::atomic<unsigned> running_{0};          // workers that have not finished it yet
  std::atomic<unsigned> sleepers_{0};
  std::atomic<bool> stop_{false};
  unsigned spins_ = 0;  // polls before a worker sleeps
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> workers_;
};

}  // namespace lambert
