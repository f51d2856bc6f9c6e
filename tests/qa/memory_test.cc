// What a long context costs: memory and windows grow no faster than its length.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

#include "../sanitized.h"
#include "lambert/lambert.h"

namespace {

std::atomic<std::size_t> live{0}, peak{0};  // bytes that operator new gave

}  // namespace

#if LAMBERT_SANITIZED
constexpr bool kCounted = false;
constexpr unsigned kScale = 20;  // contexts are that much shorter
#else
constexpr bool kCounted = true;
constexpr unsigned kScale = 1;
#endif

#if !LAMBERT_SANITIZED  // which have an operator new of their own
[[gnu::noinline]] void* operator new(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  const std::size_t now = live += ::malloc_usable_size(memory);
  for (std::size_t seen = peak; seen < now && !peak.compare_exchange_weak(seen, now);) {
  }
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  live -= ::malloc_usable_size(memory);
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}
#endif

namespace lambert {
namespace {

constexpr std::size_t kMaxSeqLen = 64, kStride = 32, kQuestionAndSpecials = 2 + 3;  // who ?

std::string repeat(const std::string& word, std::size_t times) {
  std::string text;
  text.reserve(word.size() * times);
  for (std::size_t i = 0; i < times; ++i) text += word;
  return text;
}

std::size_t windows_of(std::size_t tokens) {
  constexpr std::size_t kRoom = kMaxSeqLen - kQuestionAndSpecials, kStep = kRoom - kStride;
  return 1 + (tokens - kRoom + kStep - 1) / kStep;
}

// Bytes at the peak beyond what was in use before, the question not counted.
std::size_t peak_of(const Answerer& answerer, Question question, std::size_t windows) {
  const std::size_t before = live;
  peak = before;
  EXPECT_EQ(answerer.ask(std::move(question)).windows_total, windows);
  return peak - before;
}

// A token has 16 bytes (id, start, end, word). While an array of them grows, old and new stand side
// by side, and the new one may be twice what is needed: 12 bytes more. A window of 27 new tokens
// keeps a few candidates of 24 bytes. So 40 bytes a token bound it, and as every token has a byte
// of its own, 40 bytes a byte of context, whatever it says.
TEST(Memory, AndWindowsAreLinearInTheContext) {
  constexpr std::size_t kBytesAToken = 40;
  constexpr std::size_t kFixed = std::size_t{2} << 20;  // the arrays' first size and one batch
  const Answerer answerer(
      {.model = LAMBERT_SOURCE_DIR "/tests/model/data/tiny/bert_gelu", .threads = 1});
  for (const std::size_t words : {50'000U / kScale, 200'000U / kScale}) {
    for (const char* word : {"?", "a ", "notes "}) {
      Question question{.question = "who?", .context = repeat(word, words)};
      const std::size_t bytes = question.context.size();
      const std::size_t most = peak_of(answerer, std::move(question), windows_of(words));
      if (!kCounted) {
        std::printf("memory is not measured under a sanitizer\n");
        continue;
      }
      std::printf("%zu x \"%s\": %zu bytes of context, peak %zu bytes\n", words, word, bytes, most);
      EXPECT_GE(most, 16 * words);  // else this does not measure
      EXPECT_LE(most, kBytesAToken * words + kFixed);
    }
  }
}

}  // namespace
}  // namespace lambert
