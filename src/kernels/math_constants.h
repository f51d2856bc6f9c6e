// Polynomials of the elementary functions, the same for every ISA; fitted by
// tools/polynomials/fit.py. Depends on nothing, so that it can be included where any instruction
// set is switched on.
#pragma once

#include <cstdint>

namespace lambert::math {

// exp(x) = 2^n exp(r): n = round(x log2 e), r = x - n ln 2 in two parts. Relative error 1.2e-7.
inline constexpr float kExpMin = -80.0F;  // smaller arguments count as this: results stay normal
inline constexpr float kExpMax = 88.0F;
inline constexpr float kLog2E = 1.44269504F;
inline constexpr float kLn2High = 0.693359375F;  // 10 bits: n * kLn2High is exact
inline constexpr float kLn2Low = -2.12194440e-4F;
inline constexpr float kRoundMagic = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
inline constexpr float kExpC2 = 0x1.fffffcp-2F;
inline constexpr float kExpC3 = 0x1.555492p-3F;
inline constexpr float kExpC4 = 0x1.5558f2p-5F;
inline constexpr float kExpC5 = 0x1.123a20p-7F;
inline constexpr float kExpC6 = 0x1.6a2410p-10F;

// 2^x = 2^n 2^f: n = round(x), f = x - n. Relative error 1e-4.
inline constexpr float kExp2Min = -100.0F;  // smaller arguments count as this
inline constexpr float kExp2C1 = 0x1.62f5fap-1F;
inline constexpr float kExp2C2 = 0x1.f00c50p-3F;
inline constexpr float kExp2C3 = 0x1.c2a29cp-5F;

// erfc(z) = exp(-z^2) (q1 t + ... + q7 t^7), t = 1 / (1 + kErfcP z), z >= 0. Absolute error 6e-8.
inline constexpr float kErfcP = 0.47047F;
inline constexpr float kErfcQ1 = 0x1.100d7ep-2F;
inline constexpr float kErfcQ2 = 0x1.055da0p-2F;
inline constexpr float kErfcQ3 = 0x1.4192bcp-2F;
inline constexpr float kErfcQ4 = -0x1.6873e4p-4F;
inline constexpr float kErfcQ5 = 0x1.24857cp-1F;
inline constexpr float kErfcQ6 = -0x1.9d27c8p-2F;
inline constexpr float kErfcQ7 = 0x1.5cefb2p-4F;

// (1 + erf(u / sqrt 2)) / 2 = 1/2 + u (p0 + p1 u^2 + ... + p7 u^14), |u| <= kGeluLimit; u times
// its error is at most 4e-5.
inline constexpr float kGeluLimit = 4.0F;
inline constexpr float kGeluP0 = 0x1.983dd6p-2F;
inline constexpr float kGeluP1 = -0x1.0de060p-4F;
inline constexpr float kGeluP2 = 0x1.3778eap-7F;
inline constexpr float kGeluP3 = -0x1.07d820p-10F;
inline constexpr float kGeluP4 = 0x1.39f654p-14F;
inline constexpr float kGeluP5 = -0x1.ead884p-19F;
inline constexpr float kGeluP6 = 0x1.bf82bcp-24F;
inline constexpr float kGeluP7 = -0x1.65b068p-30F;

inline constexpr float kSqrtHalf = 0.707106781F;
inline constexpr float kGeluCubic = 0.044715F;
inline constexpr float kTwiceSqrt2OverPi = 1.59576912F;
inline constexpr float kQuickGeluScale = 1.702F;

// Quantising rows of floats, and columns.
inline constexpr std::uint32_t kInfinityBits = 0x7F800000U;
inline constexpr std::uint32_t kNanBits = 0x7FC00000U;
inline constexpr float kLeastMagnitude = 0x1p-100F;  // rows below count as zero: 127 / x is finite
inline constexpr float kPer127 = 0x1.020408p-7F;     // 1 / 127
inline constexpr float kScoreLimit = 127.0F;
inline constexpr float kValueLimit = 16383.0F;
inline constexpr float kSumLimit = 1048575.0F;  // 2^31 / 2^11
inline constexpr float kNumeratorBits = 11.0F;

}  // namespace lambert::math
