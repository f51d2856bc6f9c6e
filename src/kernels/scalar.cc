// The reference: plain loops that state what every other table computes.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/kernels.h"
#include "kernels/math_constants.h"
#include "kernels/tables.h"

namespace lambert {

namespace {

using namespace math;

float exp_f32(float x) {
  x = x > kExpMin ? x : kExpMin;
  x = x < kExpMax ? x : kExpMax;
  const float shifted = std::fma(x, kLog2E, kRoundMagic);
  const float n = shifted - kRoundMagic;
  const float r = std::fma(n, -kLn2Low, std::fma(n, -kLn2High, x));
  float p = kExpC6;
  for (const float c : {kExpC5, kExpC4, kExpC3, kExpC2, 1.0F, 1.0F}) p = std::fma(p, r, c);
  const auto exponent = std::bit_cast<std::uint32_t>(shifted) << 23;  // n, modulo 512
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(p) + exponent);
}

float erfc_of_magnitude(float x) {  // erfc(|x|)
  const float z = std::fabs(x);
  const float t = 1.0F / std::fma(z, kErfcP, 1.0F);
  float p = kErfcQ7;
  for (const float q : {kErfcQ6, kErfcQ5, kErfcQ4, kErfcQ3, kErfcQ2, kErfcQ1})
    p = std::fma(p, t, q);
  return exp_f32(-(z * z)) * (p * t);
}

float sigmoid(float x) {
  return 1.0F / (1.0F + exp_f32(-x));
}
float tanh_f32(float x) {
  return 1.0F - 2.0F / (1.0F + exp_f32(x + x));
}

float gelu_tanh(float x) {
  const float inner = std::fma(x * x, kGeluCubic * x, x);
  return x * sigmoid(kTwiceSqrt2OverPi * inner);  // (1 + tanh(y)) / 2 = sigmoid(2 y)
}

float activate(Activation activation, float x) {
  switch (activation) {
    case Activation::kIdentity: return x;
    case Activation::kGelu: {
      const float tail = erfc_of_magnitude(x * kSqrtHalf);
      return (0.5F * x) * (x < 0 ? tail : 2.0F - tail);
    }
    case Activation::kGeluTanh: return gelu_tanh(x);
    case Activation::kQuickGelu: return x * sigmoid(kQuickGeluScale * x);
    case Activation::kRelu: return x > 0 ? x : 0.0F;
    case Activation::kSilu: return x * sigmoid(x);
    case Activation::kTanh: return tanh_f32(x);
  }
  return x;
}

// As activate, with the GELU of int8.
float activate_s8(Activation activation, float x) {
  if (activation != Activation::kGelu) return activate(activation, x);
  float u = x > -kGeluLimit ? x : -kGeluLimit;
  u = u < kGeluLimit ? u : kGeluLimit;
  float p = kGeluP7;
  for (const float c : {kGeluP6, kGeluP5, kGeluP4, kGeluP3, kGeluP2, kGeluP1, kGeluP0}) {
    p = std::fma(p, u * u, c);
  }
  return x * std::fma(p, u, 0.5F);
}

// Sum of value(i) for i < count in the order that kernels.h fixes.
template <typename Value>
float lane_sum(std::size_t count, const Value& value) {
  float lanes[16] = {};
  for (std::size_t i = 0; i < count; ++i) lanes[i % 16] += value(i);
  for (std::size_t half = 8; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

void gemm_f32(const GemmF32& g) {
  for (std::size_t i = 0; i < g.rows; ++i) {
    const float* a = g.a + i * g.a_stride;
    for (std::size_t j = 0; j < g.panels * kPanel; ++j) {
      const float* b = g.b + j / kPanel * g.k * kPanel + j % kPanel;
      float sum = 0;
      for (std::size_t k = 0; k < g.k; ++k) sum = std::fma(a[k], b[k * kPanel], sum);
      sum = activate(g.activation, sum + g.bias[j]);
      g.c[i * g.c_stride + j] = sum;
    }
  }
}

void attention_f32(const Attention& t) {
  float* scores = t.scratch;  // (kv_rows)
  for (std::size_t i = 0; i < t.q_rows; ++i) {
    float* q = t.q + i * t.q_stride;
    float highest = -INFINITY;
    for (std::size_t j = 0; j < t.kv_rows; ++j) {
      float score = 0;
      for (std::size_t d = 0; d < t.width; ++d) {
        score = std::fma(t.scale * q[d], t.k[j * t.stride + d], score);
      }
      scores[j] = score;
      highest = score > highest ? score : highest;
    }
    for (std::size_t j = 0; j < t.kv_rows; ++j) scores[j] = exp_f32(scores[j] - highest);
    const float inverse = 1.0F / lane_sum(t.kv_rows, [&](std::size_t j) { return scores[j]; });
    for (std::size_t d = 0; d < t.width; ++d) {
      float sum = 0;
      for (std::size_t j = 0; j < t.kv_rows; ++j) {
        sum = std::fma(scores[j], t.v[j * t.stride + d], sum);
      }
      q[d] = sum * inverse;
    }
  }
}

void layer_norm_f32(const LayerNormF32& n) {
  const auto hidden = static_cast<float>(n.hidden);
  for (std::size_t i = 0; i < n.rows; ++i) {
    float* x = n.x + i * n.stride;
    const float* added = n.added == nullptr ? nullptr : n.added + i * n.added_stride;
    for (std::size_t j = 0; added != nullptr && j < n.hidden; ++j) x[j] += added[j];
    const float mean = lane_sum(n.hidden, [&](std::size_t j) { return x[j]; }) / hidden;
    const float variance =
        lane_sum(n.hidden, [&](std::size_t j) { return (x[j] - mean) * (x[j] - mean); }) / hidden;
    const float scale = 1.0F / std::sqrt(variance + n.epsilon);
    for (std::size_t j = 0; j < round_up(n.hidden, kPanel); ++j) {
      x[j] = std::fma((x[j] - mean) * scale, n.gamma[j], n.beta[j]);
    }
  }
}

void widen_f16(const void* from, float* to, std::size_t count) {
  const auto* bytes = static_cast<const unsigned char*>(from);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t half = bytes[2 * i] | static_cast<std::uint32_t>(bytes[2 * i + 1]) << 8;
    const std::uint32_t sign = (half & 0x8000U) << 16;
    const std::uint32_t magnitude = half & 0x7FFFU;
    std::uint32_t bits = 0;
    if (magnitude >= 0x7C00U) {  // infinity and NaN, which becomes quiet
      bits = 0x7F800000U | (magnitude & 0x3FFU) << 13 | (magnitude > 0x7C00U ? 0x400000U : 0);
    } else if (magnitude >= 0x400U) {
      bits = (magnitude << 13) + (112U << 23);
    } else {  // zero and subnormal: an integer times 2^-24
      bits = std::bit_cast<std::uint32_t>(static_cast<float>(magnitude) * 0x1p-24F);
    }
    to[i] = std::bit_cast<float>(sign | bits);
  }
}

// The bits of |x|, which order floats as integers do, NaN above all.
std::uint32_t magnitude_bits(float x) {
  return std::bit_cast<std::uint32_t>(x) & 0x7FFFFFFFU;
}

void quantize_s8(const QuantizeS8& q) {
  for (std::size_t i = 0; i < q.rows; ++i) {
    const float* x = q.x + i * q.stride;
    const auto y = [&](std::size_t j) { return std::fma(x[j], q.multiplier[j], q.addend[j]); };
    unsigned char* to = q.to + i * q.to_stride;
    std::uint32_t magnitude = 0;
    float lowest = y(0), highest = lowest;
    for (std::size_t j = 0; j < q.width; ++j) {
      const float value = y(j);
      magnitude = magnitude_bits(value) > magnitude ? magnitude_bits(value) : magnitude;
      lowest = value < lowest ? value : lowest;
      highest = value > highest ? value : highest;
    }
    const bool finite = magnitude < kInfinityBits;
    // Halves, because the difference of two finite numbers may be infinite; + 0: not -0.
    const float half_range = (0.5F * highest - 0.5F * lowest) + 0.0F;
    const float offset = (0.5F * highest + 0.5F * lowest) + 0.0F;
    const bool usual = finite && half_range >= kLeastMagnitude;
    const float inverse = usual ? 127.0F / half_range : 0.0F;
    for (std::size_t j = 0; j < q.width; ++j) {
      const float rounded = (usual ? (y(j) - offset) * inverse : 0.0F) + kRoundMagic;
      const auto value = static_cast<int>(rounded - kRoundMagic);
      to[j] = static_cast<unsigned char>(value > 127 ? 127 : value < -127 ? -127 : value);
    }
    for (std::size_t j = q.width; j < round_up(q.width, kDepthS8); ++j) to[j] = 0;
    q.scales[i] = finite ? half_range * kPer127 : std::bit_cast<float>(kNanBits);
    q.offsets[i] = finite ? offset : 0.0F;
  }
}

void gemm_s8(const GemmS8& g) {
  for (std::size_t i = 0; i < g.rows; ++i) {
    const auto* a = reinterpret_cast<const std::int8_t*>(g.a + i * g.a_stride);
    for (std::size_t panel = 0; panel < g.panels; ++panel) {
      const std::int8_t* b = g.b + panel * g.k * kPanel;
      std::int32_t sums[kPanel] = {};
      for (std::size_t k = 0; k < g.k; k += 4, b += 4 * kPanel) {
        for (std::size_t j = 0; j < kPanel; ++j) {
          for (std::size_t n = 0; n < 4; ++n) sums[j] += a[k + n] * b[4 * j + n];
        }
      }
      for (std::size_t j = 0; j < kPanel; ++j) {
        const std::size_t column = panel * kPanel + j;
        const auto sum = static_cast<float>(sums[j]), all = static_cast<float>(g.b_sums[column]);
        float& c = g.c[i * g.c_stride + column];
        const float before = g.accumulate ? c : g.bias[column];
        const float x = std::fma(sum * g.a_scale[i], g.b_scale[column], before);
        c = activate_s8(g.activation, std::fma(g.a_offset[i], all * g.b_scale[column], x));
      }
    }
  }
}

float round_to_even(float x) {  // |x| < 2^22
  return (x + kRoundMagic) - kRoundMagic;
}

float exp2_f32(float x) {  // x <= 126
  x = x > kExp2Min ? x : kExp2Min;
  const float shifted = x + kRoundMagic;
  const float f = x - (shifted - kRoundMagic);
  float p = kExp2C3;
  for (const float c : {kExp2C2, kExp2C1, 1.0F}) p = std::fma(p, f, c);
  const auto exponent = std::bit_cast<std::uint32_t>(shifted) << 23;  // n, modulo 512
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(p) + exponent);
}

// How numbers become integers up to `limit`.
struct Steps {
  float inverse, scale;  // integer = x * inverse, x ~ integer * scale
};

// Of numbers whose greatest magnitude has these bits.
Steps steps_of(std::uint32_t bits, float limit) {
  if (bits >= kInfinityBits) return {0.0F, std::bit_cast<float>(kNanBits)};
  const auto magnitude = std::bit_cast<float>(bits);
  if (magnitude < kLeastMagnitude) return {0.0F, 0.0F};
  return {limit / magnitude, magnitude / limit};
}

float whole_steps(float x, Steps steps) {
  return steps.inverse > 0 ? round_to_even(x * steps.inverse) : 0.0F;
}

// Columns of k or v as integers, (kv_rows, width), and their scales, (width).
void round_columns(const Attention& t, const float* from, float limit, float* to, float* scales) {
  for (std::size_t d = 0; d < t.width; ++d) {
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < t.kv_rows; ++j) {
      bits = std::max(bits, magnitude_bits(from[j * t.stride + d]));
    }
    const Steps steps = steps_of(bits, limit);
    scales[d] = steps.scale;
    for (std::size_t j = 0; j < t.kv_rows; ++j) {
      to[j * t.width + d] = whole_steps(from[j * t.stride + d], steps);
    }
  }
}

// x (width), in place; returns the scale.
float round_row(float* x, std::size_t width, float limit) {
  std::uint32_t bits = 0;
  for (std::size_t d = 0; d < width; ++d) bits = std::max(bits, magnitude_bits(x[d]));
  const Steps steps = steps_of(bits, limit);
  for (std::size_t d = 0; d < width; ++d) x[d] = whole_steps(x[d], steps);
  return steps.scale;
}

void attention_s8(const Attention& t) {
  const float value_limit =
      std::fmin(std::floor(kSumLimit / static_cast<float>(t.kv_rows)), kValueLimit);
  float* keys = t.scratch;                     // (kv_rows, width), integers
  float* values = keys + t.kv_rows * t.width;  // (kv_rows, width), integers
  float* scores = values + t.kv_rows * t.width;
  float* query = scores + t.kv_rows;  // (width), integers
  float* key_scales = query + t.width;
  float* value_scales = key_scales + t.width;
  round_columns(t, t.k, kScoreLimit, keys, key_scales);
  round_columns(t, t.v, value_limit, values, value_scales);
  for (std::size_t i = 0; i < t.q_rows; ++i) {
    float* q = t.q + i * t.q_stride;
    for (std::size_t d = 0; d < t.width; ++d) query[d] = t.scale * q[d] * key_scales[d];
    const float query_scale = round_row(query, t.width, kScoreLimit);
    for (std::size_t j = 0; j < t.kv_rows; ++j) {
      std::int32_t sum = 0;
      for (std::size_t d = 0; d < t.width; ++d) {
        sum += static_cast<int>(query[d]) * static_cast<int>(keys[j * t.width + d]);
      }
      scores[j] = static_cast<float>(sum);
    }
    const float factor = query_scale * kLog2E;
    const float highest = *std::max_element(scores, scores + t.kv_rows);
    for (std::size_t j = 0; j < t.kv_rows; ++j) {
      scores[j] = exp2_f32(std::fma(scores[j] - highest, factor, kNumeratorBits));
    }
    const float total = lane_sum(t.kv_rows, [&](std::size_t j) { return scores[j]; });
    const float inverse = std::isnan(query_scale) ? query_scale : 1.0F / total;
    for (std::size_t d = 0; d < t.width; ++d) {
      std::int32_t sum = 0;
      for (std::size_t j = 0; j < t.kv_rows; ++j) {
        const auto numerator = static_cast<int>(round_to_even(scores[j]));
        sum += numerator * static_cast<int>(values[j * t.width + d]);
      }
      q[d] = static_cast<float>(sum) * value_scales[d] * inverse;
    }
  }
}

bool always() {
  return true;
}

}  // namespace

const Kernels kScalarKernels = {"scalar",       always,    gemm_f32, attention_f32, attention_s8,
                                layer_norm_f32, widen_f16, 0,        quantize_s8,   gemm_s8};

}  // namespace lambert
