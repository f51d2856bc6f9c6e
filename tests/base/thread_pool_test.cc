#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <vector>

namespace lambert {
namespace {

TEST(DefaultThreads, AreAtLeastOneAndAtMostTheCpus) {
  EXPECT_GE(default_threads(), 1U);
  EXPECT_LE(default_threads(), std::max(1U, std::thread::hardware_concurrency()));
}

TEST(ThreadPool, RunsEveryTaskOnce) {
  for (const unsigned threads : {1U, 2U, 5U}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const std::size_t tasks : {0U, 1U, 2U, 3U, 100U}) {
      std::vector<std::atomic<int>> done(tasks);
      pool.parallel_for(tasks, [&](std::size_t task, unsigned thread) {
        EXPECT_LT(thread, threads);
        ++done[task];
      });
      for (const auto& count : done) EXPECT_EQ(count, 1);
    }
  }
}

TEST(ThreadPool, WithoutUseEnds) {
  for (int i = 0; i < 20; ++i) ThreadPool pool(3);
}

// What a loop wrote without atomics is seen by the caller and by the next loop.
TEST(ThreadPool, LoopsAreOrdered) {
  ThreadPool pool(4);
  std::vector<int> values(64, 0), sums(64, 0);
  for (int round = 1; round <= 500; ++round) {
    pool.parallel_for(values.size(), [&](std::size_t task, unsigned) { ++values[task]; });
    pool.parallel_for(values.size(), [&](std::size_t task, unsigned) {
      sums[task] = values[(task + 1) % values.size()];
    });
    ASSERT_EQ(std::accumulate(sums.begin(), sums.end(), 0), 64 * round);
  }
}

// Memory of one thread is not shared with another in the same loop.
TEST(ThreadPool, ThreadNumbersAreExclusive) {
  ThreadPool pool(4);
  std::vector<std::size_t> counts(pool.threads(), 0);
  for (int round = 0; round < 200; ++round) {
    pool.parallel_for(50, [&](std::size_t, unsigned thread) { ++counts[thread]; });
  }
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::size_t{0}), 10'000U);
}

// The owner hands the pool from thread to thread.
TEST(ThreadPool, MayBeUsedByAnotherThreadLater) {
  ThreadPool pool(3);
  std::atomic<int> total = 0;
  for (int i = 0; i < 20; ++i) {
    std::thread user([&] { pool.parallel_for(10, [&](std::size_t, unsigned) { ++total; }); });
    user.join();
  }
  EXPECT_EQ(total, 200);
}

}  // namespace
}  // namespace lambert
