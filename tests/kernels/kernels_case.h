// One random call of each kernel, run on two tables whose results must have the same bits.
// Shared by the property test and the differential fuzz target.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <random>
#include <vector>

#include "base/aligned_buffer.h"
#include "kernels/kernels.h"
#include "model/quantized_matrix.h"

namespace lambert {

class KernelCase {
 public:
  explicit KernelCase(std::uint64_t seed) : random_(seed) {}

  bool gemm_agrees(const Kernels& a, const Kernels& b) {
    // Now and then more than one stretch of k (simd_inl.h).
    const std::size_t rows = 1 + below(40), k = below(16) == 0 ? 500 + below(700) : 1 + below(90);
    const std::size_t panels = 1 + below(5);
    const std::size_t width = panels * kPanel, stride = k + below(7), c_stride = width + 16;
    const auto left = values(rows * stride), right = values(k * width), bias = values(width);
    GemmF32 call{.a = left.data(),
                 .a_stride = stride,
                 .rows = rows,
                 .k = k,
                 .b = right.data(),
                 .panels = panels,
                 .bias = bias.data(),
                 .activation = static_cast<Activation>(below(7))};
    call.c_stride = c_stride;
    return same(a, b, rows * c_stride, [&](const Kernels& kernels, float* out) {
      call.c = out;
      kernels.gemm_f32(call);
    });
  }

  // In floats, or else in integers.
  bool attention_agrees(const Kernels& a, const Kernels& b, bool floats) {
    const std::size_t q_rows = 1 + below(30);
    const std::size_t kv_rows = below(32) == 0 ? 500 + below(150) : 1 + below(70);
    const std::size_t width = kPanel * (1 + below(4)), stride = width * (1 + below(3));
    const std::size_t q_stride = width * (1 + below(3));
    const auto rows = [&](std::size_t count, std::size_t wide) {
      return floats ? values(count * wide) : awkward_rows(count, wide);
    };
    const auto q = rows(q_rows, q_stride), k = rows(kv_rows, stride), v = rows(kv_rows, stride);
    AlignedBuffer<float> scratch(attention_scratch(kv_rows, width));
    Attention call{.q_stride = q_stride,
                   .k = k.data(),
                   .v = v.data(),
                   .stride = stride,
                   .q_rows = q_rows,
                   .kv_rows = kv_rows,
                   .width = width,
                   .scale = 0.25F,
                   .scratch = scratch.data()};
    return same(a, b, q_rows * q_stride, [&](const Kernels& kernels, float* out) {
      std::memcpy(out, q.data(), q_rows * q_stride * sizeof(float));
      call.q = out;
      (floats ? kernels.attention_f32 : kernels.attention_s8)(call);
    });
  }

  bool layer_norm_agrees(const Kernels& a, const Kernels& b) {
    const std::size_t rows = 1 + below(5), hidden = 1 + below(100);
    const std::size_t stride = round_up(hidden, kPanel);
    auto x = values(rows * stride), gamma = values(stride), beta = values(stride);
    std::fill(gamma.data() + hidden, gamma.data() + stride, 0.0F);
    std::fill(beta.data() + hidden, beta.data() + stride, 0.0F);
    const auto added = values(rows * (stride + 16));
    const bool adds = below(2) == 0;
    LayerNormF32 call{.stride = stride,
                      .added = adds ? added.data() : nullptr,
                      .added_stride = stride + 16,
                      .rows = rows,
                      .hidden = hidden,
                      .gamma = gamma.data(),
                      .beta = beta.data(),
                      .epsilon = 1e-12F};
    return same(a, b, rows * stride, [&](const Kernels& kernels, float* out) {
      std::memcpy(out, x.data(), rows * stride * sizeof(float));
      call.x = out;
      kernels.layer_norm_f32(call);
    });
  }

  bool widen_agrees(const Kernels& a, const Kernels& b) {
    const std::size_t count = 1 + below(80);
    std::vector<unsigned char> halves(2 * count + 1);
    for (auto& byte : halves) byte = static_cast<unsigned char>(below(256));
    return same(a, b, count, [&](const Kernels& kernels, float* out) {
      kernels.widen_f16(halves.data() + 1, out, count);  // unaligned
    });
  }

  // Bytes but for the zero point, scales, and what the product makes of them.
  bool int8_agrees(const Kernels& a, const Kernels& b) {
    const std::size_t rows = 1 + below(below(16) == 0 ? 150 : 40);
    const std::size_t width = kPanel * (1 + below(below(16) == 0 ? 60 : 9));
    const std::size_t k = round_up(width, kDepthS8), panels = 1 + below(5);
    const auto x = awkward_rows(rows, width), multiplier = values(width), addend = values(width);
    QuantizedMatrix matrix(width, panels);
    for (std::size_t i = 0; i < panels * kPanel; ++i) matrix.set_column(i, values(width).span());
    const auto bias = values(panels * kPanel);
    const auto activation = static_cast<Activation>(below(7));
    const bool accumulate = below(3) == 0;
    const std::size_t stride = k + 64 * below(2), c_stride = (panels + below(2)) * kPanel;
    const auto bytes = [&](const Kernels& kernels, float* scales) {  // scales, offsets
      std::vector<unsigned char> to(rows * stride);
      kernels.quantize_s8({.x = x.data(),
                           .stride = width,
                           .rows = rows,
                           .width = width,
                           .multiplier = multiplier.data(),
                           .addend = addend.data(),
                           .to = to.data(),
                           .to_stride = stride,
                           .scales = scales,
                           .offsets = scales + rows});
      return to;
    };
    AlignedBuffer<float> scales_a(2 * rows), scales_b(2 * rows);
    const auto bytes_a = bytes(a, scales_a.data()), bytes_b = bytes(b, scales_b.data());
    for (std::size_t i = 0; i < bytes_a.size(); ++i) {
      const bool written = i % stride < k;
      const int difference = a.zero_point - b.zero_point;
      if (static_cast<unsigned char>(bytes_a[i] - bytes_b[i]) != (written ? difference & 0xFF : 0))
        return false;
    }
    if (std::memcmp(scales_a.data(), scales_b.data(), 2 * rows * sizeof(float)) != 0) return false;
    return same(a, b, rows * c_stride, [&](const Kernels& kernels, float* out) {
      kernels.gemm_s8({.a = &kernels == &a ? bytes_a.data() : bytes_b.data(),
                       .a_scale = scales_a.data(),
                       .a_offset = scales_a.data() + rows,
                       .a_stride = stride,
                       .rows = rows,
                       .k = k,
                       .b = matrix.values.data(),
                       .b_scale = matrix.scales.data(),
                       .b_sums = matrix.sums.data(),
                       .panels = panels,
                       .bias = bias.data(),
                       .accumulate = accumulate,
                       .activation = activation,
                       .c = out,
                       .c_stride = c_stride});
    });
  }

  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }

  float unit() { return static_cast<float>(random_() >> 40) * 0x1p-24F; }  // [0, 1)

  // Mostly ordinary numbers, some zeros and some large ones.
  AlignedBuffer<float> values(std::size_t count) {
    AlignedBuffer<float> buffer(count);
    const float size = below(8) == 0 ? 30.0F : 1.0F;
    for (float& value : buffer.span()) {
      const float number = 2 * unit() - 1;
      value = below(64) == 0 ? 0.0F : number * size;
    }
    return buffer;
  }

 private:
  // Rows of very different sizes, some of them zero, tiny, or with a value that is not finite.
  AlignedBuffer<float> awkward_rows(std::size_t rows, std::size_t width) {
    AlignedBuffer<float> x = values(rows * width);
    constexpr float kSizes[] = {1, 1, 1, 0, 1e-38F, 1e-30F, 1e30F, 3e38F};
    for (std::size_t i = 0; i < rows; ++i) {
      const float size = kSizes[below(std::size(kSizes))];
      for (std::size_t j = 0; j < width; ++j) x[i * width + j] *= size;
      if (below(20) == 0) x[i * width + below(width)] = std::numeric_limits<float>::infinity();
      if (below(20) == 0) x[i * width + below(width)] = std::numeric_limits<float>::quiet_NaN();
    }
    return x;
  }

  template <typename Run>
  bool same(const Kernels& a, const Kernels& b, std::size_t count, const Run& run) {
    AlignedBuffer<float> first(count), second(count);
    for (std::size_t i = 0; i < count; ++i) {  // what is not written, or is added to, agrees
      first[i] = second[i] = static_cast<float>(i % 37) - 18.0F;
    }
    run(a, first.data());
    run(b, second.data());
    return std::memcmp(first.data(), second.data(), count * sizeof(float)) == 0;
  }

  std::mt19937_64 random_;
};

}  // namespace lambert
