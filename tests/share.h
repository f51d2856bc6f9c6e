// LAMBERT_TEST_SHARE=N: an Nth of the random cases, where an emulator runs the tests.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace lambert {

// How many of so many cases to run; says so when they are fewer.
inline std::uint64_t share_of(std::uint64_t cases) {
  const char* const set = std::getenv("LAMBERT_TEST_SHARE");
  const std::uint64_t parts = set == nullptr ? 1 : std::max(1ULL, std::strtoull(set, nullptr, 10));
  const std::uint64_t left = (cases + parts - 1) / parts;
  if (left < cases) {
    std::printf("NOTICE: LAMBERT_TEST_SHARE=%s: %llu of %llu random cases\n", set,
                static_cast<unsigned long long>(left), static_cast<unsigned long long>(cases));
  }
  return left;
}

}  // namespace lambert
