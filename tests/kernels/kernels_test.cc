#include "kernels/kernels.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "../share.h"
#include "kernels_case.h"

namespace lambert {
namespace {

const Kernels& scalar() {
  return *find_kernels("scalar");
}

// Every other table that this CPU can run; says so where it cannot.
std::vector<const Kernels*> others() {
  std::vector<const Kernels*> tables;
  for (const Kernels* table : all_kernels()) {
    if (table == &scalar()) continue;
    std::printf("%s: %s\n", table->name, table->supported() ? "compared" : "NOT on this CPU");
    if (table->supported()) tables.push_back(table);
  }
  return tables;
}

template <typename Case>
void expect_same_bits(std::uint64_t cases, const Case& agrees) {
  cases = share_of(cases);
  for (const Kernels* table : others()) {
    for (std::uint64_t seed = 0; seed < cases; ++seed) {
      KernelCase random(seed);
      ASSERT_TRUE(agrees(random, *table)) << table->name << ", seed " << seed;
    }
  }
}

TEST(Kernels, GemmHasTheBitsOfTheReference) {
  expect_same_bits(4000, [](auto& c, auto& table) { return c.gemm_agrees(scalar(), table); });
}

TEST(Kernels, AttentionHasTheBitsOfTheReference) {
  expect_same_bits(2000,
                   [](auto& c, auto& table) { return c.attention_agrees(scalar(), table, true); });
}

TEST(Kernels, AttentionInIntegersHasTheBitsOfTheReference) {
  expect_same_bits(2000,
                   [](auto& c, auto& table) { return c.attention_agrees(scalar(), table, false); });
}

// Values are within +-1.
TEST(Kernels, AttentionInIntegersIsCloseToThatInFloats) {
  KernelCase random(11);
  const std::size_t rows = 90, width = 32;
  AlignedBuffer<float> floats(rows * width), k(rows * width), v(rows * width);
  for (std::size_t i = 0; i < rows * width; ++i) {
    floats[i] = 8 * (random.unit() - 0.5F);
    k[i] = 4 * (random.unit() - 0.5F);
    v[i] = 2 * (random.unit() - 0.5F);
  }
  AlignedBuffer<float> scratch(attention_scratch(rows, width));
  AlignedBuffer<float> integers(rows * width);
  std::memcpy(integers.data(), floats.data(), rows * width * sizeof(float));
  Attention call{.q = floats.data(),
                 .q_stride = width,
                 .k = k.data(),
                 .v = v.data(),
                 .stride = width,
                 .q_rows = rows,
                 .kv_rows = rows,
                 .width = width,
                 .scale = 0.177F,
                 .scratch = scratch.data()};
  scalar().attention_f32(call);
  call.q = integers.data();
  scalar().attention_s8(call);
  for (std::size_t i = 0; i < rows * width; ++i) ASSERT_NEAR(integers[i], floats[i], 2e-2) << i;
}

TEST(Kernels, LayerNormHasTheBitsOfTheReference) {
  expect_same_bits(2000, [](auto& c, auto& table) { return c.layer_norm_agrees(scalar(), table); });
}

TEST(Kernels, WidenHasTheBitsOfTheReference) {
  expect_same_bits(2000, [](auto& c, auto& table) { return c.widen_agrees(scalar(), table); });
}

TEST(Kernels, Int8HasTheBitsOfTheReference) {
  expect_same_bits(4000, [](auto& c, auto& table) { return c.int8_agrees(scalar(), table); });
}

TEST(Kernels, RowsDoNotDependOnTheirNeighbours) {
  KernelCase random(7);
  const std::size_t rows = 37, k = 50, panels = 3, width = panels * kPanel;
  const auto a = random.values(rows * k), b = random.values(k * width), bias = random.values(width);
  for (const Kernels* table : all_kernels()) {
    if (!table->supported()) continue;
    AlignedBuffer<float> together(rows * width), alone(width);
    GemmF32 call{.a = a.data(),
                 .a_stride = k,
                 .rows = rows,
                 .k = k,
                 .b = b.data(),
                 .panels = panels,
                 .bias = bias.data(),
                 .activation = Activation::kGelu,
                 .c = together.data(),
                 .c_stride = width};
    table->gemm_f32(call);
    for (std::size_t row = 0; row < rows; ++row) {
      call.a = a.data() + row * k;
      call.rows = 1;
      call.c = alone.data();
      table->gemm_f32(call);
      ASSERT_EQ(0, std::memcmp(alone.data(), together.data() + row * width, width * sizeof(float)))
          << table->name << ", row " << row;
    }
  }
}

TEST(Kernels, EveryHalfIsWidenedExactly) {
  std::vector<std::uint16_t> halves(0x10000);
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
  std::vector<float> wide(halves.size());
  scalar().widen_f16(halves.data(), wide.data(), wide.size());
  EXPECT_EQ(wide[0x3C00], 1.0F);
  EXPECT_EQ(wide[0xC000], -2.0F);
  EXPECT_EQ(wide[0x0001], 0x1p-24F);
  EXPECT_EQ(wide[0x7BFF], 65504.0F);
  EXPECT_EQ(wide[0x7C00], std::numeric_limits<float>::infinity());
  for (const Kernels* table : others()) {
    std::vector<float> other(halves.size());
    table->widen_f16(halves.data(), other.data(), other.size());
    EXPECT_EQ(0, std::memcmp(wide.data(), other.data(), wide.size() * sizeof(float)))
        << table->name;
  }
}

TEST(Kernels, AreFoundByName) {
  EXPECT_STREQ(all_kernels().front()->name, "scalar");
  EXPECT_EQ(find_kernels("sse9"), nullptr);
  for (const Kernels* table : all_kernels()) {
    EXPECT_EQ(find_kernels(table->name), table->supported() ? table : nullptr);
  }
  EXPECT_NE(find_kernels(""), nullptr);
}

}  // namespace
}  // namespace lambert
