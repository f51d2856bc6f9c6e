// Rates of int8 multiply-adds, one function an instruction: operations done, two a multiply-add.
// Call one only where its *_here() says that this machine has it.
#pragma once

#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

namespace peak {

constexpr int kInt8Sums = 8;
constexpr int kDotSums = 12;
constexpr int kInt8Steps = 2'000'000;
inline std::atomic<int> int8_sink;  // results end here, so that no loop is dropped

// Exact: |a| <= 127 and the sign of a moved to b keep each pair of products within 16 bits.
__attribute__((target("avx2"))) inline double int8_avx2() {
  __m256i sums[kInt8Sums] = {};
  const __m256i a = _mm256_set1_epi8(-3);
  const __m256i magnitude = _mm256_abs_epi8(a);
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i b = _mm256_set1_epi8(5);
  for (int step = 0; step < kInt8Steps; ++step) {
#pragma GCC unroll 8
    for (int i = 0; i < kInt8Sums; ++i) {
      asm volatile("" : "+x"(b));  // as if it were new, so that nothing moves out of the loop
      const __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(b, a));
      sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(pairs, ones));
    }
  }
  for (const auto& sum : sums) int8_sink = int8_sink ^ _mm256_cvtsi256_si32(sum);
  return 2.0 * 32 * kInt8Sums * kInt8Steps;
}

__attribute__((target("avx2,avxvnni"))) inline double int8_avx_vnni() {
  __m256i sums[kDotSums] = {};
  const __m256i a = _mm256_set1_epi8(3);
  const __m256i b = _mm256_set1_epi8(5);
  for (int step = 0; step < kInt8Steps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kDotSums; ++i) {
      sums[i] = _mm256_dpbusd_avx_epi32(sums[i], a, b);
      asm volatile("" : "+v"(sums[i]));  // equal sums stay twelve
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < kDotSums; ++i) int8_sink = int8_sink ^ _mm256_cvtsi256_si32(sums[i]);
  return 2.0 * 32 * kDotSums * kInt8Steps;
}

__attribute__((target("avx512f,avx512bw,avx512vnni"))) inline double int8_avx512_vnni() {
  __m512i sums[kDotSums] = {};
  const __m512i a = _mm512_set1_epi8(3);
  const __m512i b = _mm512_set1_epi8(5);
  for (int step = 0; step < kInt8Steps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kDotSums; ++i) {
      sums[i] = _mm512_dpbusd_epi32(sums[i], a, b);
      asm volatile("" : "+v"(sums[i]));  // equal sums stay twelve
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < kDotSums; ++i) {  // unrolled, so that the sums above stay in registers
    int8_sink = int8_sink ^ static_cast<int>(sums[i][0]);
  }
  return 2.0 * 64 * kDotSums * kInt8Steps;
}

struct alignas(64) TileConfig {
  unsigned char palette = 1, start_row = 0, reserved[14] = {};
  unsigned short row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  unsigned char rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// Six tiles of sums, two of factors: 16 x 16 sums of 64 products an instruction.
__attribute__((target("amx-tile,amx-int8"))) inline double int8_amx() {
  constexpr int kTiles = 6;
  constexpr int kSteps = kInt8Steps / 16;
  alignas(64) const TileConfig config;
  _tile_loadconfig(&config);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
  for (int step = 0; step < kSteps; ++step) {
    _tile_dpbssd(0, 6, 7);
    _tile_dpbssd(1, 6, 7);
    _tile_dpbssd(2, 6, 7);
    _tile_dpbssd(3, 6, 7);
    _tile_dpbssd(4, 6, 7);
    _tile_dpbssd(5, 6, 7);
  }
  _tile_release();
  return 2.0 * 16 * 16 * 64 * kTiles * kSteps;
}

struct Leaf {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

inline Leaf leaf7(unsigned subleaf) {
  Leaf leaf;
  __get_cpuid_count(7, subleaf, &leaf.eax, &leaf.ebx, &leaf.ecx, &leaf.edx);
  return leaf;
}

inline bool avx_vnni_here() {
  return __builtin_cpu_supports("avx2") && leaf7(0).eax >= 1 && (leaf7(1).eax >> 4 & 1U) != 0;
}

inline bool avx512_vnni_here() {
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni");
}

// Linux gives a process the state of tiles when it asks for it; threads made later have it too.
inline bool amx_here() {
  constexpr unsigned kTileAndInt8 = 1U << 24 | 1U << 25;
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return (leaf7(0).edx & kTileAndInt8) == kTileAndInt8 &&
         syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace peak
