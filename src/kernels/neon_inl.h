// The vector of 16 floats of simd_inl.h in NEON, and what simd_integer_inl.h takes beside the
// product of bytes. Included inside an anonymous namespace.

struct Vec {
  float32x4_t q[4];  // lanes 0-3, 4-7, 8-11, 12-15
};

constexpr int kTileRows = 5;  // 5 x 16: 20 accumulators, 4 of b, 1 of a of 32 registers
constexpr int kTilePanels = 1;
constexpr int kUnroll = 1;  // nothing is measured on this architecture

inline decltype(sizeof(0)) round_up_16(decltype(sizeof(0)) n) {
  return (n + 15) / 16 * 16;
}

// The vector of quarter(i).
template <typename Quarter>
[[gnu::always_inline]] inline Vec quarters(const Quarter& quarter) {
  return {{quarter(0), quarter(1), quarter(2), quarter(3)}};
}

inline Vec load(const float* p) {
  return quarters([&](int i) { return vld1q_f32(p + 4 * i); });
}
inline void store(float* p, Vec v) {
  for (int i = 0; i < 4; ++i) vst1q_f32(p + 4 * i, v.q[i]);
}
inline Vec set1(float x) {
  return quarters([&](int) { return vdupq_n_f32(x); });
}
inline Vec zero() {
  return set1(0.0F);
}
inline Vec add(Vec a, Vec b) {
  return quarters([&](int i) { return vaddq_f32(a.q[i], b.q[i]); });
}
inline Vec sub(Vec a, Vec b) {
  return quarters([&](int i) { return vsubq_f32(a.q[i], b.q[i]); });
}
inline Vec mul(Vec a, Vec b) {
  return quarters([&](int i) { return vmulq_f32(a.q[i], b.q[i]); });
}
inline Vec div(Vec a, Vec b) {
  return quarters([&](int i) { return vdivq_f32(a.q[i], b.q[i]); });
}
inline Vec fma(Vec a, Vec b, Vec c) {
  return quarters([&](int i) { return vfmaq_f32(c.q[i], a.q[i], b.q[i]); });
}
// a > b ? a : b, so b if one is NaN or both are zero, as on x86; vmaxq_f32 would differ.
inline float32x4_t max(float32x4_t a, float32x4_t b) {
  return vbslq_f32(vcgtq_f32(a, b), a, b);
}
inline Vec max(Vec a, Vec b) {
  return quarters([&](int i) { return max(a.q[i], b.q[i]); });
}
inline Vec min(Vec a, Vec b) {
  return quarters([&](int i) { return vbslq_f32(vcltq_f32(a.q[i], b.q[i]), a.q[i], b.q[i]); });
}
inline Vec abs(Vec v) {
  return quarters([&](int i) { return vabsq_f32(v.q[i]); });
}
inline Vec relu(Vec v) {
  return max(v, zero());
}
inline float sqrt1(float x) {
  return vget_lane_f32(vsqrt_f32(vdup_n_f32(x)), 0);
}
inline Vec keep_first(Vec v, decltype(sizeof(0)) n) {
  constexpr unsigned kLanes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const uint32x4_t count = vdupq_n_u32(static_cast<unsigned>(n));
  return quarters([&](int i) {
    const uint32x4_t kept = vcltq_u32(vld1q_u32(kLanes + 4 * i), count);
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(v.q[i]), kept));
  });
}
inline Vec select_negative(Vec x, Vec a, Vec b) {
  return quarters([&](int i) { return vbslq_f32(vcltzq_f32(x.q[i]), a.q[i], b.q[i]); });
}
inline Vec scale_by_power(Vec p, Vec shifted) {
  return quarters([&](int i) {
    const int32x4_t exponent = vshlq_n_s32(vreinterpretq_s32_f32(shifted.q[i]), 23);
    return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(p.q[i]), exponent));
  });
}
inline float sum(Vec v) {
  const float32x4_t by4 = vaddq_f32(vaddq_f32(v.q[0], v.q[2]), vaddq_f32(v.q[1], v.q[3]));
  const float32x2_t by2 = vadd_f32(vget_low_f32(by4), vget_high_f32(by4));
  return vget_lane_f32(by2, 0) + vget_lane_f32(by2, 1);
}
inline float highest(Vec v) {
  const float32x4_t by4 = max(max(v.q[0], v.q[2]), max(v.q[1], v.q[3]));
  const float32x4_t by2 = max(by4, vextq_f32(by4, by4, 2));
  return vgetq_lane_f32(max(by2, vdupq_laneq_f32(by2, 1)), 0);
}
inline Vec widen16(const unsigned char* p) {
  return quarters([&](int i) { return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p + 8 * i))); });
}

constexpr int kZeroPoint = 0;  // every product is of signed bytes

struct Sums {
  int32x4_t q[4];  // columns 0-3, 4-7, 8-11, 12-15
};
struct Weights {
  const signed char* both;  // (2 x 4 of k, 16 columns), read where they are needed
};

template <typename Quarter>
[[gnu::always_inline]] inline Sums quarter_sums(const Quarter& quarter) {
  return {{quarter(0), quarter(1), quarter(2), quarter(3)}};
}
inline Sums zero_sums() {
  return quarter_sums([](int) { return vdupq_n_s32(0); });
}
inline Sums first_sums(const int*) {
  return zero_sums();
}
inline Weights load_weights(const signed char* p) {
  return {p};
}
inline void store_sums(int* p, Sums s) {
  for (int i = 0; i < 4; ++i) vst1q_s32(p + 4 * i, s.q[i]);
}
inline Vec to_floats(Sums s) {
  return quarters([&](int i) { return vcvtq_f32_s32(s.q[i]); });
}
inline Vec integers(const int* p) {
  return quarters([&](int i) { return vcvtq_f32_s32(vld1q_s32(p + 4 * i)); });
}
inline Vec max_bits(Vec a, Vec b) {
  return quarters([&](int i) {
    return vreinterpretq_f32_s32(
        vmaxq_s32(vreinterpretq_s32_f32(a.q[i]), vreinterpretq_s32_f32(b.q[i])));
  });
}
inline unsigned top_bits(Vec v) {
  const Vec by8 = max_bits(v, {{v.q[2], v.q[3], v.q[2], v.q[3]}});
  const Vec by4 = max_bits(by8, {{by8.q[1], by8.q[1], by8.q[1], by8.q[1]}});
  return static_cast<unsigned>(vmaxvq_s32(vreinterpretq_s32_f32(by4.q[0])));
}

// Eight floats to the nearest integers, ties to even, saturating.
inline int16x8_t nearest(float32x4_t low, float32x4_t high) {
  return vqmovn_high_s32(vqmovn_s32(vcvtnq_s32_f32(low)), vcvtnq_s32_f32(high));
}
inline void store_s8(unsigned char* p, Vec v) {
  const int8x8_t low = vqmovn_s16(nearest(v.q[0], v.q[1]));
  const int8x16_t bytes = vqmovn_high_s16(low, nearest(v.q[2], v.q[3]));
  vst1q_u8(p, vreinterpretq_u8_s8(vmaxq_s8(bytes, vdupq_n_s8(-127))));
}
inline void store_s16(short* p, Vec v) {
  vst1q_s16(p, nearest(v.q[0], v.q[1]));
  vst1q_s16(p + 8, nearest(v.q[2], v.q[3]));
}
inline void store_pairs(short* p, Vec even, Vec odd) {
  for (int i = 0; i < 4; i += 2) {
    const int16x8x2_t both = {{nearest(even.q[i], even.q[i + 1]), nearest(odd.q[i], odd.q[i + 1])}};
    vst2q_s16(p + 8 * i, both);
  }
}

// Four bytes of a to every four of a vector.
inline int8x16_t broadcast4(const unsigned char* p) {
  return vreinterpretq_s8_s32(vld1q_dup_s32(reinterpret_cast<const int*>(p)));
}
struct Words {
  static int32x4_t dot(int32x4_t sums, const signed char* w, int16x8_t a, int16x8_t next_a) {
    const int16x8_t first = vreinterpretq_s16_s8(vld1q_s8(w));
    const int16x8_t next = vreinterpretq_s16_s8(vld1q_s8(w + 64));
    const int32x4_t low = vmlal_s16(vmull_s16(vget_low_s16(first), vget_low_s16(a)),
                                    vget_low_s16(next), vget_low_s16(next_a));
    const int32x4_t high = vmlal_high_s16(vmull_high_s16(first, a), next, next_a);
    return vaddq_s32(sums, vpaddq_s32(low, high));
  }
  static Sums dot(Sums sums, Weights w, const unsigned char* a) {
    const int16x8_t first = vreinterpretq_s16_s8(broadcast4(a));
    const int16x8_t next = vreinterpretq_s16_s8(broadcast4(a + 4));
    return quarter_sums([&](int i) { return dot(sums.q[i], w.both + 16 * i, first, next); });
  }
};
