// Weights in a bundle: the same logits, whatever the numbers nothing but an error or wrong ones.
#include "model/weight_sections.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/error.h"
#include "checkpoint/bundle_writer.h"
#include "random_model.h"

namespace lambert {
namespace {

EncoderConfig config_of(Family family) {
  return {.family = family,
          .vocab_size = 40,
          .hidden_size = 36,
          .num_layers = 2,
          .num_heads = 3,
          .intermediate_size = 70,
          .max_positions = 30,
          .type_vocab_size = family == Family::kBert ? std::size_t{2} : 0,
          .layer_norm_eps = 1e-12F,
          .activation = Activation::kGelu};
}

// A bundle in memory that is aligned as a mapping is.
class AlignedFile {
 public:
  explicit AlignedFile(const std::string& bytes) : bytes_(bytes.size()) {
    std::memcpy(bytes_.data(), bytes.data(), bytes.size());
  }
  std::span<const std::byte> bytes() const { return bytes_.span(); }

 private:
  AlignedBuffer<std::byte> bytes_;
};

// `edit` may change the bytes of a section, or make it empty.
using Edit = std::function<void(const WeightSection&, std::string&)>;

AlignedFile packed(const EncoderConfig& config, Weights& weights, const Edit& edit = {}) {
  const std::vector<WeightSection> sections = weight_sections(config, weights);
  std::string file;
  BundleWriter writer(&file, sections.size());
  for (const WeightSection& section : sections) {
    const auto content = section.content();
    std::string bytes(reinterpret_cast<const char*>(content.data()), content.size());
    if (edit) edit(section, bytes);
    writer.add(section.kind, section.index, std::as_bytes(std::span(bytes)));
  }
  writer.finish();
  return AlignedFile(file);
}

class PackedWeights : public testing::TestWithParam<std::tuple<Family, Precision>> {
 protected:
  PackedWeights() {
    std::mt19937_64 random(3);
    for (const std::size_t tokens : {30, 7}) batch_.add_window(config_, tokens, random);
  }
  Weights view(const AlignedFile& file) const {
    Weights weights;
    weights.precision = loaded_.precision;
    weights.word.dtype = loaded_.word.dtype;
    view_weights(Bundle(file.bytes(), "m.lambert"), config_, "m.lambert", weights);
    return weights;
  }
  std::vector<float> logits(const Weights& weights) {
    return run_forward(config_, weights, batch_.view(), kernels_, pool_);
  }
  std::string refused(const AlignedFile& file) const {
    try {
      view(file);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidModel);
      return error.what();
    }
    return "";
  }

  ThreadPool pool_{1};
  const Kernels& kernels_ = *find_kernels("");
  const EncoderConfig config_ = config_of(std::get<0>(GetParam()));
  const RandomCheckpoint checkpoint_{config_, 1};
  Weights loaded_ = checkpoint_.load(config_, kernels_, pool_, std::get<1>(GetParam()));
  RandomBatch batch_;
};

INSTANTIATE_TEST_SUITE_P(All, PackedWeights,
                         testing::Combine(testing::Values(Family::kBert, Family::kDistilBert),
                                          testing::Values(Precision::kFp32, Precision::kInt8)));

TEST_P(PackedWeights, ViewsGiveTheSameLogits) {
  const AlignedFile file = packed(config_, loaded_);
  Weights weights = view(file);
  EXPECT_EQ(logits(weights), logits(loaded_));
  EXPECT_NO_THROW(verify_weights(config_, "m.lambert", weights));
  for (const WeightSection& section : weight_sections(config_, weights)) {
    const auto content = section.content();
    EXPECT_GE(content.data(), file.bytes().data());  // a view, not a copy
    EXPECT_LE(content.data() + content.size(), file.bytes().data() + file.bytes().size());
  }
}

TEST_P(PackedWeights, SectionsAreDifferentAndAsLargeAsTheirArrays) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> names;
  std::size_t bytes = 0;
  for (const WeightSection& section : weight_sections(config_, loaded_)) {
    EXPECT_TRUE(names.emplace(section.kind, section.index).second);
    EXPECT_EQ(section.content().size(), section.bytes);
    if (section.array != decltype(section.array)(&loaded_.word.values) ||
        loaded_.precision == Precision::kInt8) {
      bytes += section.bytes;
    }
  }
  EXPECT_EQ(bytes, packed_bytes(config_, loaded_.precision));
}

TEST_P(PackedWeights, EverySectionOfAnotherSizeIsRefusedByName) {
  for (const WeightSection& wrong : weight_sections(config_, loaded_)) {
    for (const int change : {-1, 1, 64}) {
      const AlignedFile file =
          packed(config_, loaded_, [&](const WeightSection& section, std::string& bytes) {
            if (section.kind != wrong.kind || section.index != wrong.index) return;
            bytes.resize(static_cast<std::size_t>(static_cast<int>(bytes.size()) + change));
          });
      const std::string message = refused(file);
      EXPECT_NE(message.find("m.lambert: " + section_name(wrong.kind, wrong.index) + " has "),
                std::string::npos)
          << message;
    }
  }
}

TEST_P(PackedWeights, AMissingSectionIsRefusedByName) {
  const AlignedFile file = packed(config_, loaded_);
  const Bundle whole(file.bytes(), "m");
  for (const Bundle::Section& missing : whole.sections()) {
    std::string bytes;
    BundleWriter writer(&bytes, whole.sections().size() - 1);
    for (const Bundle::Section& section : whole.sections()) {
      if (section.kind == missing.kind && section.index == missing.index) continue;
      writer.add(section.kind, section.index, section.bytes);
    }
    writer.finish();
    const std::string message = refused(AlignedFile(bytes));
    EXPECT_NE(message.find(section_name(missing.kind, missing.index)), std::string::npos)
        << message;
  }
}

TEST_P(PackedWeights, AnyNumbersGiveLogitsAndNothingWorse) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    const AlignedFile file =
        packed(config_, loaded_, [&](const WeightSection&, std::string& bytes) {
          for (char& byte : bytes) byte = static_cast<char>(random());
        });
    for (const Kernels* table : all_kernels()) {
      if (!table->supported()) continue;
      const auto any = run_forward(config_, view(file), batch_.view(), *table, pool_);
      EXPECT_EQ(any.size(), 2 * batch_.read_rows.size());
    }
  }
}

TEST_P(PackedWeights, VerifyNamesNumbersThatPackingDoesNotWrite) {
  for (const WeightSection& wrong : weight_sections(config_, loaded_)) {
    const bool integers = std::holds_alternative<WeightArray<std::int8_t>*>(wrong.array) ||
                          std::holds_alternative<WeightArray<std::int32_t>*>(wrong.array);
    const bool rows = std::holds_alternative<WeightArray<std::byte>*>(wrong.array);
    if (rows && loaded_.precision == Precision::kInt8) continue;  // any byte is a number of these
    const AlignedFile file =
        packed(config_, loaded_, [&](const WeightSection& section, std::string& bytes) {
          if (section.kind != wrong.kind || section.index != wrong.index) return;
          const std::uint32_t bits = integers ? 0x7F7F7F7F : 0x7F800000;
          std::memcpy(bytes.data() + bytes.size() - 4, &bits, 4);
        });
    Weights weights = view(file);
    try {
      verify_weights(config_, "m.lambert", weights);
      ADD_FAILURE() << section_name(wrong.kind, wrong.index);
    } catch (const Error& error) {
      // Sums and scales of columns are looked at together with the values.
      const std::string name = section_name(wrong.kind, wrong.index);
      EXPECT_NE(std::string(error.what()).find(name.substr(0, 11)), std::string::npos)
          << error.what();
    }
  }
}

TEST(QuantizedRow, ValuesAreWithinHalfAStep) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<float> row(1 + random() % 70);
    for (float& value : row) {
      value = std::ldexp(static_cast<float>(random() >> 40) - 0x1p23F, round % 60 - 40);
    }
    std::vector<std::int8_t> values(row.size());
    const float scale = quantize_row(row, values.data());
    int largest = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      EXPECT_NEAR(static_cast<float>(values[i]) * scale, row[i], 0.5001F * scale);
      largest = std::max(largest, std::abs(static_cast<int>(values[i])));
    }
    EXPECT_EQ(largest, 127);
  }
  std::int8_t values[3] = {1, 1, 1};
  EXPECT_EQ(quantize_row(std::vector<float>{0, 0, 0}, values), 0.0F);
  EXPECT_EQ(values[2], 0);
  EXPECT_TRUE(std::isfinite(quantize_row(std::vector<float>{3e38F, -3e38F, 1e-40F}, values)));
  EXPECT_EQ(values[1], -127);
}

TEST(TensorSlots, Int8TakesNoMoreInputsThanItsSumsHold) {
  EncoderConfig config = config_of(Family::kBert);
  config.intermediate_size = kMaxInputsS8 + 1;
  Weights weights;
  EXPECT_NO_THROW(tensor_slots(config, Precision::kFp32, weights));
  EXPECT_THROW(tensor_slots(config, Precision::kInt8, weights), Error);
}

}  // namespace
}  // namespace lambert
