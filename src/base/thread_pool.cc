#include "base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <system_error>

#include "base/cgroup.h"
#include "base/error.h"

namespace lambert {

namespace {

void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

// CPUs' worth of time that one cgroup directory grants.
double quota_of(const std::string& directory) {
  double quota = 0, period = 0;
  if (std::ifstream v2(directory + "/cpu.max"); v2) {  // "max 100000" or "150000 100000"
    return v2 >> quota >> period && period > 0 ? quota / period : kNoQuota;
  }
  std::ifstream v1_quota(directory + "/cpu.cfs_quota_us");
  std::ifstream v1_period(directory + "/cpu.cfs_period_us");
  const bool limited = v1_quota >> quota && v1_period >> period && quota > 0 && period > 0;
  return limited ? quota / period : kNoQuota;
}

// The least quota of this process's cgroup and its ancestors, v2 and v1.
double cgroup_quota() {
  double least = kNoQuota;
  for (const std::string& directory : cgroup_directories("cpu")) {
    least = std::min(least, quota_of(directory));
  }
  return least;
}

unsigned affinity_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) == 0) {
    return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
  }
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

unsigned default_threads() {
  const double quota = std::ceil(cgroup_quota());
  const unsigned cpus = affinity_cpus();
  return quota < cpus ? std::max(1U, static_cast<unsigned>(quota)) : cpus;
}

ThreadPool::ThreadPool(unsigned threads) {
  // Polling pays only while every thread has a CPU of its own: about 20 us, then sleep.
  spins_ = threads <= default_threads() ? 2000 : 0;
  workers_.reserve(threads - 1);
  try {
    for (unsigned i = 1; i < threads; ++i) workers_.emplace_back([this, i] { work(i); });
  } catch (const std::system_error& error) {
    stop();
    fail(ErrorCode::kLimitExceeded, "thread ", workers_.size() + 2, " of ", threads,
         " cannot be started: ", error.what(), "; ask for fewer threads");
  } catch (...) {  // no memory for one; those that run must end first
    stop();
    throw;
  }
}

ThreadPool::~ThreadPool() {
  stop();
}

void ThreadPool::stop() {
  {
    const std::lock_guard lock(mutex_);  // a worker between its check and its wait holds it
    stop_ = true;
  }
  wake_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void ThreadPool::take_tasks(unsigned thread) {
  for (;;) {
    const std::size_t task = next_task_.fetch_add(1, std::memory_order_relaxed);
    if (task >= tasks_) return;
    call_(body_, task, thread);
  }
}

void ThreadPool::run(std::size_t tasks, const void* body, Call call) {
  if (workers_.empty() || tasks <= 1) {
    for (std::size_t task = 0; task < tasks; ++task) call(body, task, 0);
    return;
  }
  body_ = body;
  call_ = call;
  tasks_ = tasks;
  next_task_.store(0, std::memory_order_relaxed);
  running_.store(static_cast<unsigned>(workers_.size()), std::memory_order_relaxed);
  generation_.fetch_add(1);  // sequentially consistent with sleepers_: see work()
  if (sleepers_.load() > 0) {
    const std::lock_guard lock(mutex_);  // a worker between its check and its wait holds it
    wake_.notify_all();
  }
  take_tasks(0);
  for (unsigned spin = 0; running_.load(std::memory_order_acquire) > 0; ++spin) {
    if (spin < spins_) {
      pause_briefly();
    } else {
      std::this_thread::yield();
    }
  }
}

void ThreadPool::work(unsigned thread) {
  std::uint64_t seen = 0;
  for (;;) {
    for (unsigned spin = 0; spin < spins_ && generation_.load(std::memory_order_acquire) == seen &&
                            !stop_.load(std::memory_order_relaxed);
         ++spin) {
      pause_briefly();
    }
    if (generation_.load(std::memory_order_acquire) == seen) {
      std::unique_lock lock(mutex_);
      sleepers_.fetch_add(1);
      wake_.wait(lock, [&] { return stop_.load() || generation_.load() != seen; });
      sleepers_.fetch_sub(1);
    }
    if (stop_.load()) return;
    ++seen;
    take_tasks(thread);
    running_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace lambert
