#include "model/weights.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "random_model.h"

namespace lambert {
namespace {

EncoderConfig small_config() {
  return {.family = Family::kBert,
          .vocab_size = 7,
          .hidden_size = 6,
          .num_layers = 1,
          .num_heads = 2,
          .intermediate_size = 5,
          .max_positions = 4,
          .type_vocab_size = 2,
          .layer_norm_eps = 1e-12F,
          .activation = Activation::kGelu};
}

class Loading : public testing::Test {
 protected:
  std::string message_of(const std::vector<Tensor>& tensors) {
    Weights weights;
    WeightsLoader loader(small_config(), Precision::kFp32, weights, *find_kernels("scalar"), pool_);
    for (const Tensor& tensor : tensors) loader.accept(tensor);
    try {
      loader.finish("model");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidModel);
      return error.what();
    }
    return "";
  }
  std::vector<Tensor> all() const {
    std::vector<Tensor> tensors;
    for (std::size_t i = 0; i < checkpoint_.size(); ++i) tensors.push_back(checkpoint_.tensor(i));
    return tensors;
  }
  ThreadPool pool_{1};
  RandomCheckpoint checkpoint_{small_config(), 1};
};

TEST_F(Loading, AcceptsEveryTensorOnce) {
  EXPECT_EQ(message_of(all()), "");
}

TEST_F(Loading, PackedBytesAreWhatIsAllocated) {
  const EncoderConfig config = small_config();
  const Weights weights = checkpoint_.load(config, *find_kernels("scalar"), pool_);
  std::size_t floats = weights.position.size() + weights.token_type.size();
  const auto add_norm = [&](const NormWeights& norm) {
    floats += norm.gamma.size() + norm.beta.size();
  };
  const auto add_matrix = [&](const PackedMatrix& matrix) {
    floats += matrix.values.size() + matrix.bias.size();
  };
  add_norm(weights.embedding_norm);
  for (const LayerWeights& layer : weights.layers) {
    add_norm(layer.attention_norm);
    add_norm(layer.output_norm);
    add_matrix(layer.qkv);
    add_matrix(layer.attention_output);
    add_matrix(layer.intermediate);
    add_matrix(layer.output);
  }
  add_matrix(weights.qa_outputs);
  EXPECT_EQ(packed_bytes(config, Precision::kFp32), floats * sizeof(float));
}

TEST_F(Loading, ReportsMissingExtraAndMisshapedTensorsAtOnce) {
  auto tensors = all();
  tensors[1].shape = {5, 6};
  tensors.erase(tensors.begin() + 3);
  Tensor extra = tensors[0];
  extra.name = "bert.encoder.layer.1.output.dense.weight";
  tensors.push_back(extra);
  const std::string message = message_of(tensors);
  EXPECT_NE(message.find("3 tensors"), std::string::npos) << message;
  EXPECT_NE(message.find("position_embeddings.weight\" of shape [5, 6], expected [4, 6]"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("missing \"bert.embeddings.LayerNorm.weight\""), std::string::npos)
      << message;
  EXPECT_NE(message.find("extra \"bert.encoder.layer.1.output.dense.weight\""), std::string::npos)
      << message;
}

TEST_F(Loading, IgnoresOtherHeadsAndBuffers) {
  auto tensors = all();
  for (const char* name : {"cls.predictions.bias", "bert.pooler.dense.weight",
                           "bert.embeddings.position_ids", "pooler.dense.bias"}) {
    Tensor other = tensors[0];
    other.name = name;
    tensors.push_back(other);
  }
  EXPECT_EQ(message_of(tensors), "");
}

TEST_F(Loading, RefusesLayersThatConfigDoesNotHaveUnderEveryNaming) {
  for (const char* name :
       {"bert.encoder.layer.1.output.dense.weight", "encoder.layer.1.output.dense.weight",
        "module.bert.encoder.layer.1.output.dense.weight", "embeddings.extra.weight"}) {
    auto tensors = all();
    Tensor extra = tensors[0];
    extra.name = name;
    tensors.push_back(extra);
    EXPECT_NE(message_of(tensors).find(quote(name)), std::string::npos) << name;
  }
}

// They were taken for parts of another head, and left out without a word.
TEST_F(Loading, RefusesTensorsThatWouldChangeTheResult) {
  for (const char* name :
       {"qa_outputs.dense.weight", "module.bert.encoder.layer.9.output.dense.weight",
        "base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight",
        "bert.encoder.layer.0.attention.position_ids", "bert.embeddings.extra_token_type_ids"}) {
    auto tensors = all();
    Tensor extra = tensors[0];
    extra.name = name;
    tensors.push_back(extra);
    EXPECT_NE(message_of(tensors).find(quote(name)), std::string::npos) << name;
  }
}

TEST_F(Loading, AWrapperIsTheSameForAllTensors) {
  auto tensors = all();
  std::vector<std::string> names;
  for (const Tensor& tensor : tensors) names.push_back("module." + std::string(tensor.name));
  for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].name = names[i];
  EXPECT_EQ(message_of(tensors), "");
  tensors[4].name = tensors[4].name.substr(7);
  const std::string message = message_of(tensors);
  EXPECT_NE(message.find(quote(tensors[4].name) + " with another prefix than " + quote(names[0])),
            std::string::npos)
      << message;
}

TEST_F(Loading, RefusesATensorGivenTwiceUnderTwoNames) {
  auto tensors = all();
  Tensor again = tensors[2];
  const std::string short_name(again.name.substr(5));
  again.name = short_name;
  tensors.push_back(again);
  EXPECT_NE(message_of(tensors).find("twice"), std::string::npos);
}

TEST_F(Loading, RefusesValuesThatAreNotFinite) {
  for (std::size_t i = 0; i < checkpoint_.size(); ++i) {
    auto& values = checkpoint_.values(i);
    for (const float bad :
         {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
      for (float* place : {&values.front(), &values[values.size() / 2], &values.back()}) {
        const float good = std::exchange(*place, bad);
        const std::string message = message_of(all());
        EXPECT_NE(message.find(std::string(checkpoint_.tensor(i).name)), std::string::npos)
            << message;
        *place = good;
      }
    }
  }
}

TEST_F(Loading, RefusesHalvesThatAreNotFiniteWhereverTheyAre) {
  const std::pair<DType, std::vector<std::uint16_t>> bad_bits[] = {
      {DType::kF16, {0x7C00, 0xFC00, 0x7E01}}, {DType::kBF16, {0x7F80, 0xFF80, 0x7FC1}}};
  for (const auto& [dtype, bits] : bad_bits) {
    for (std::size_t i = 0; i < checkpoint_.size(); ++i) {
      auto tensors = all();
      std::vector<std::uint16_t> values(tensors[i].elements(), 0x3800);  // finite in both
      tensors[i].dtype = dtype;
      tensors[i].data = std::as_bytes(std::span(values));
      EXPECT_EQ(message_of(tensors), "");
      for (const std::size_t place : {std::size_t{0}, values.size() / 2, values.size() - 1}) {
        for (const std::uint16_t bad : bits) {
          const std::uint16_t good = std::exchange(values[place], bad);
          const std::string message = message_of(tensors);
          EXPECT_NE(message.find(quote(tensors[i].name) + " with a value"), std::string::npos)
              << message;
          values[place] = good;
        }
      }
    }
  }
}

TEST_F(Loading, RefusesIntegersAsWeights) {
  for (std::size_t i = 0; i < checkpoint_.size(); ++i) {
    auto tensors = all();
    const std::vector<std::int64_t> values(tensors[i].elements(), 1);
    tensors[i].dtype = DType::kI64;
    tensors[i].data = std::as_bytes(std::span(values));
    const std::string message = message_of(tensors);
    EXPECT_NE(message.find(quote(tensors[i].name) + " of type I64"), std::string::npos) << message;
  }
}

TEST_F(Loading, ProblemsNameTheFileOfAModelInSeveral) {
  Weights weights;
  WeightsLoader loader(small_config(), Precision::kFp32, weights, *find_kernels("scalar"), pool_);
  loader.begin_file("model-00002-of-00002.safetensors");
  Tensor tensor = all()[0];
  tensor.shape = {1, 1};
  loader.accept(tensor);
  try {
    loader.finish("model");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(
        std::string(error.what()).find("expected [7, 6] in \"model-00002-of-00002.safetensors"),
        std::string::npos)
        << error.what();
  }
}

TEST_F(Loading, ALongListOfProblemsIsCut) {
  const std::string message = message_of({});
  EXPECT_NE(message.find(" more"), std::string::npos);
  EXPECT_LT(message.size(), 3000U);
}

}  // namespace
}  // namespace lambert
