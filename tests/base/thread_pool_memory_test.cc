// What happens when memory ends while threads are started.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "../sanitized.h"
#include "base/thread_pool.h"

#if !LAMBERT_SANITIZED  // which have an operator new of their own
namespace {

thread_local int allocations_left = -1;  // of this thread; negative: no limit

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  if (allocations_left == 0) throw std::bad_alloc();
  if (allocations_left > 0) --allocations_left;
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace lambert {
namespace {

// The threads that had been started were destroyed while they ran, which ends the process.
TEST(ThreadPool, WithoutMemoryForAThreadThrowsAndEndsTheOthers) {
  constexpr int kThreads = 4;
  int failures = 0;
  for (bool made = false; !made;) {
    allocations_left = failures;
    try {
      const ThreadPool pool(kThreads);
      allocations_left = -1;
      made = true;
    } catch (const std::bad_alloc&) {
      allocations_left = -1;
      ++failures;
    }
  }
  EXPECT_GE(failures, kThreads);  // the list of threads, and each of the three
}

}  // namespace
}  // namespace lambert
#endif
