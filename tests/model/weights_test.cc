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
    WeightsLoader loader(small_config(), weights, *find_kernels("scalar"), pool_);
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
    EXPECT_NE(message_of(tensors).find("extra"), std::string::npos) << name;
  }
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
      const float good = std::exchange(values.back(), bad);
      const std::string message = message_of(all());
      EXPECT_NE(message.find(std::string(checkpoint_.tensor(i).name)), std::string::npos)
          << message;
      values.back() = good;
    }
  }
}

TEST_F(Loading, ALongListOfProblemsIsCut) {
  const std::string message = message_of({});
  EXPECT_NE(message.find(" more"), std::string::npos);
  EXPECT_LT(message.size(), 3000U);
}

}  // namespace
}  // namespace lambert
