// What this machine can do, as one line of JSON: the multiply-add rates of fp32 and int8 with each
// instruction set that is here and the rate of reading memory, for one core and for all of this
// process's cores at once.
#include <immintrin.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

#include "peak_int8.h"

namespace {

using Clock = std::chrono::steady_clock;
// Twelve independent sums hide the latency of 4 cycles at 2 instructions a cycle, and fit in the
// 16 registers of AVX2. Without the unroll pragma GCC 12 keeps them in memory.
constexpr int kSums = 12;
constexpr int kSteps = 4'000'000;
constexpr std::size_t kReadBytes = std::size_t{512} << 20;
constexpr int kRepeats = 5;

std::atomic<float> sink;  // results end here, so that no loop is dropped

__attribute__((target("avx2,fma"))) double fma_avx2() {  // floating point operations done
  __m256 sums[kSums];
  for (auto& sum : sums) sum = _mm256_set1_ps(1.0F);
  const __m256 factor = _mm256_set1_ps(0.999999F);
  const __m256 term = _mm256_set1_ps(1e-6F);
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) sums[i] = _mm256_fmadd_ps(sums[i], factor, term);
  }
  for (const auto& sum : sums) sink = sink + _mm256_cvtss_f32(sum);
  return 2.0 * 8 * kSums * kSteps;
}

__attribute__((target("avx512f"))) double fma_avx512() {
  __m512 sums[kSums];
  for (auto& sum : sums) sum = _mm512_set1_ps(1.0F);
  const __m512 factor = _mm512_set1_ps(0.999999F);
  const __m512 term = _mm512_set1_ps(1e-6F);
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) sums[i] = _mm512_fmadd_ps(sums[i], factor, term);
  }
  for (const auto& sum : sums) sink = sink + _mm512_cvtss_f32(sum);
  return 2.0 * 16 * kSums * kSteps;
}

__attribute__((target("avx2"))) double read_memory(const std::vector<float>& data) {  // bytes read
  __m256 sums[4] = {};
  const std::size_t last = data.size() - data.size() % 32;
  for (std::size_t i = 0; i < last; i += 32) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < 4; ++j) {
      sums[j] = _mm256_add_ps(sums[j], _mm256_loadu_ps(data.data() + i + 8 * j));
    }
  }
  for (const auto& sum : sums) sink = sink + _mm256_cvtss_f32(sum);
  return static_cast<double>(last) * sizeof(float);
}

// Best rate of `threads` threads at work together, in units of 1e9 a second.
double rate(int threads, const std::function<double(int)>& work) {
  double best = 0;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    std::vector<double> amounts(static_cast<std::size_t>(threads));
    std::vector<std::thread> others;
    const auto begin = Clock::now();
    for (int i = 1; i < threads; ++i) {
      others.emplace_back([&, i] { amounts[static_cast<std::size_t>(i)] = work(i); });
    }
    amounts[0] = work(0);
    for (auto& thread : others) thread.join();
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    double amount = 0;
    for (const double part : amounts) amount += part;
    best = std::max(best, amount / seconds / 1e9);
  }
  return best;
}

int cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

void print_int8(const char* name, bool here, double (*work)(), int all) {
  if (!here) return;
  const auto one = [work](int) { return work(); };
  std::printf(", \"%s_gops_one\": %.1f, \"%s_gops_all\": %.1f", name, rate(1, one), name,
              rate(all, one));
}

}  // namespace

int main() {
  const int all = cores();
  std::printf("{\"cores\": %d", all);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    const auto avx2 = [](int) { return fma_avx2(); };
    std::printf(", \"avx2_gflops_one\": %.1f, \"avx2_gflops_all\": %.1f", rate(1, avx2),
                rate(all, avx2));
    std::vector<std::vector<float>> data(static_cast<std::size_t>(all));
    for (auto& part : data) part.assign(kReadBytes / sizeof(float), 1.0F);
    const auto read = [&](int i) { return read_memory(data[static_cast<std::size_t>(i)]); };
    std::printf(", \"read_gbps_one\": %.1f, \"read_gbps_all\": %.1f", rate(1, read),
                rate(all, read));
  }
  if (__builtin_cpu_supports("avx512f")) {
    const auto avx512 = [](int) { return fma_avx512(); };
    std::printf(", \"avx512_gflops_one\": %.1f, \"avx512_gflops_all\": %.1f", rate(1, avx512),
                rate(all, avx512));
  }
  print_int8("avx2_int8", __builtin_cpu_supports("avx2"), peak::int8_avx2, all);
  print_int8("avx_vnni", peak::avx_vnni_here(), peak::int8_avx_vnni, all);
  print_int8("avx512_vnni", peak::avx512_vnni_here(), peak::int8_avx512_vnni, all);
  print_int8("amx_int8", peak::amx_here(), peak::int8_amx, all);
  std::printf("}\n");
  return 0;
}
