// Logits have the same bits on every instruction set, for every number of threads, alone or packed.
#include "model/encoder.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "../share.h"
#include "random_model.h"

namespace lambert {
namespace {

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

EncoderConfig random_config(std::mt19937_64& random) {
  EncoderConfig config{};
  config.family = random() % 2 == 0 ? Family::kBert : Family::kDistilBert;
  config.num_heads = 1 + random() % 4;
  config.hidden_size = config.num_heads * (1 + random() % 20);
  config.num_layers = 1 + random() % 2;
  config.intermediate_size = 1 + random() % 70;
  config.vocab_size = 50;
  config.max_positions = random() % 16 == 0 ? 300 : 40;
  config.type_vocab_size = config.family == Family::kBert ? 1 + random() % 3 : 0;
  config.layer_norm_eps = 1e-12F;
  config.activation = static_cast<Activation>(1 + random() % 6);
  return config;
}

class Encoder : public testing::Test {
 protected:
  Encoder() {
    for (unsigned threads = 1; threads <= 8; ++threads) {
      pools_.push_back(std::make_unique<ThreadPool>(threads));
    }
    for (const Kernels* table : all_kernels()) {
      if (table->supported()) tables_.push_back(table);
    }
  }
  std::vector<std::unique_ptr<ThreadPool>> pools_;
  std::vector<const Kernels*> tables_;
};

// LAMBERT_PASSES asks for more than every run takes time for.
std::size_t wanted_passes() {
  const char* passes = std::getenv("LAMBERT_PASSES");
  return passes == nullptr ? share_of(20'000) : std::stoul(passes);
}

TEST_F(Encoder, LogitsHaveTheSameBitsOnEveryIsaForAnyThreadsAloneOrPacked) {
  const std::size_t wanted = wanted_passes();
  std::size_t compared = 0;
  for (std::uint64_t seed = 0; compared < wanted; ++seed) {
    std::mt19937_64 random(seed);
    const EncoderConfig config = random_config(random);
    const RandomCheckpoint checkpoint(config, seed);
    const Precision precision = seed % 2 == 0 ? Precision::kFp32 : Precision::kInt8;
    RandomBatch batch;
    const std::size_t windows = 1 + random() % 4;
    for (std::size_t w = 0; w < windows; ++w) {
      batch.add_window(config, 1 + random() % config.max_positions, random);
    }
    std::vector<float> expected;
    for (const Kernels* table : tables_) {
      const Weights weights = checkpoint.load(config, *table, *pools_[seed % 8], precision);
      for (auto& pool : pools_) {
        const auto logits = run_forward(config, weights, batch.view(), *table, *pool);
        if (expected.empty()) expected = logits;
        ASSERT_TRUE(same_bits(logits, expected))
            << table->name << ", " << pool->threads() << " threads, seed " << seed;
        ++compared;
      }
      std::vector<float> joined;
      for (std::size_t w = 0; w < batch.windows(); ++w) {
        const RandomBatch alone = batch.alone(w);
        const auto logits = run_forward(config, weights, alone.view(), *table, *pools_[w % 8]);
        joined.insert(joined.end(), logits.begin(), logits.end());
        ++compared;
      }
      ASSERT_TRUE(same_bits(joined, expected)) << table->name << ", alone, seed " << seed;
    }
  }
  for (const Kernels* table : all_kernels()) {
    std::printf("%s: %s\n", table->name, table->supported() ? "compared" : "NOT on this CPU");
  }
  std::printf("%zu forward passes compared, half of them int8\n", compared);
}

TEST_F(Encoder, RowsThatAreNotReadDoNotChangeTheOthers) {
  std::mt19937_64 random(5);
  const EncoderConfig config = random_config(random);
  const RandomCheckpoint checkpoint(config, 5);
  const Weights weights = checkpoint.load(config, *tables_.back(), *pools_[0]);
  RandomBatch batch;
  batch.add_window(config, 33, random);
  RandomBatch all = batch;
  all.read_rows.clear();
  for (std::uint32_t i = 0; i < 33; ++i) all.read_rows.push_back(i);
  all.read_begin = {0, 33};
  const auto some = run_forward(config, weights, batch.view(), *tables_.back(), *pools_[0]);
  const auto every = run_forward(config, weights, all.view(), *tables_.back(), *pools_[0]);
  ASSERT_LT(batch.read_rows.size(), 33U);
  for (std::size_t i = 0; i < batch.read_rows.size(); ++i) {
    EXPECT_EQ(some[2 * i], every[2 * batch.read_rows[i]]);
    EXPECT_EQ(some[2 * i + 1], every[2 * batch.read_rows[i] + 1]);
  }
}

}  // namespace
}  // namespace lambert
