#include "model/config.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "base/mapped_file.h"

namespace lambert {
namespace {

std::string bert(const std::string& fields) {
  return R"({"model_type":"bert","architectures":["BertForQuestionAnswering"])" +
         (fields.empty() ? "" : "," + fields) + "}";
}

std::string distilbert(const std::string& fields) {
  return R"({"model_type":"distilbert","architectures":["DistilBertForQuestionAnswering"])" +
         (fields.empty() ? "" : "," + fields) + "}";
}

EncoderConfig parse(const std::string& json) {
  return parse_config(json, "config.json");
}

// The message, after checking the code.
std::string refused(const std::string& json, ErrorCode code) {
  try {
    parse(json);
  } catch (const Error& error) {
    EXPECT_EQ(error_code_name(error.code()), error_code_name(code)) << error.what();
    EXPECT_TRUE(std::string(error.what()).starts_with("config.json: ")) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "accepted: " << json;
  return "";
}

void expect_refused(const std::string& json, ErrorCode code, const std::string& part) {
  const std::string message = refused(json, code);
  EXPECT_NE(message.find(part), std::string::npos) << message << "\nexpected: " << part;
}

TEST(Config, AbsentFieldsHaveTheDefaultsOfTransformers) {
  const EncoderConfig config = parse(bert(""));
  EXPECT_EQ(config.family, Family::kBert);
  EXPECT_EQ(config.vocab_size, 30522U);
  EXPECT_EQ(config.hidden_size, 768U);
  EXPECT_EQ(config.num_layers, 12U);
  EXPECT_EQ(config.num_heads, 12U);
  EXPECT_EQ(config.intermediate_size, 3072U);
  EXPECT_EQ(config.max_positions, 512U);
  EXPECT_EQ(config.type_vocab_size, 2U);
  EXPECT_EQ(config.layer_norm_eps, 1e-12F);
  EXPECT_EQ(config.activation, Activation::kGelu);
  EXPECT_EQ(config.head_size(), 64U);

  const EncoderConfig small = parse(distilbert(""));
  EXPECT_EQ(small.family, Family::kDistilBert);
  EXPECT_EQ(small.num_layers, 6U);
  EXPECT_EQ(small.hidden_size, 768U);
  EXPECT_EQ(small.intermediate_size, 3072U);
  EXPECT_EQ(small.type_vocab_size, 0U);
  EXPECT_EQ(small.layer_norm_eps, 1e-12F);
}

TEST(Config, EveryFieldOfBertIsHonoured) {
  const EncoderConfig config = parse(bert(
      R"("vocab_size":100,"hidden_size":24,"num_hidden_layers":3,"num_attention_heads":2,
         "intermediate_size":50,"hidden_act":"relu","max_position_embeddings":40,
         "type_vocab_size":3,"layer_norm_eps":1e-5,"chunk_size_feed_forward":8,
         "is_decoder":false,"position_embedding_type":"absolute","pruned_heads":{},
         "id2label":{"0":"start","1":"end"},"num_labels":2,"hidden_dropout_prob":0.1,
         "some_unknown_field":[1])"));
  EXPECT_EQ(config.vocab_size, 100U);
  EXPECT_EQ(config.hidden_size, 24U);
  EXPECT_EQ(config.num_layers, 3U);
  EXPECT_EQ(config.num_heads, 2U);
  EXPECT_EQ(config.head_size(), 12U);
  EXPECT_EQ(config.intermediate_size, 50U);
  EXPECT_EQ(config.activation, Activation::kRelu);
  EXPECT_EQ(config.max_positions, 40U);
  EXPECT_EQ(config.type_vocab_size, 3U);
  EXPECT_EQ(config.layer_norm_eps, 1e-5F);
}

TEST(Config, EveryFieldOfDistilBertIsHonoured) {
  const EncoderConfig config = parse(distilbert(
      R"("vocab_size":90,"dim":20,"n_layers":2,"n_heads":5,"hidden_dim":17,"activation":"tanh",
         "max_position_embeddings":33,"sinusoidal_pos_embds":true,"layer_norm_eps":0.5,
         "type_vocab_size":7,"hidden_act":"mish","intermediate_size":1)"));
  EXPECT_EQ(config.vocab_size, 90U);
  EXPECT_EQ(config.hidden_size, 20U);
  EXPECT_EQ(config.num_layers, 2U);
  EXPECT_EQ(config.num_heads, 5U);
  EXPECT_EQ(config.intermediate_size, 17U);
  EXPECT_EQ(config.activation, Activation::kTanh);
  EXPECT_EQ(config.max_positions, 33U);
  // Not fields of this family in transformers either: epsilon is fixed, there are no token types.
  EXPECT_EQ(config.layer_norm_eps, 1e-12F);
  EXPECT_EQ(config.type_vocab_size, 0U);
}

TEST(Config, DistilBertAliasesGoBeforeItsOwnNames) {
  const EncoderConfig config = parse(distilbert(
      R"("hidden_size":48,"dim":20,"num_hidden_layers":4,"n_layers":2,"num_attention_heads":3,
         "n_heads":5)"));
  EXPECT_EQ(config.hidden_size, 48U);
  EXPECT_EQ(config.num_layers, 4U);
  EXPECT_EQ(config.num_heads, 3U);
  // BERT has no such map.
  EXPECT_EQ(parse(bert(R"("dim":20,"n_layers":2)")).hidden_size, 768U);
}

TEST(Config, TheDefaultModelIsRead) {
  const std::string path = LAMBERT_SOURCE_DIR "/models/distilbert-minilm-squad/config.json";
  const EncoderConfig config = parse_config(read_file(path, 1 << 20), path);
  EXPECT_EQ(config.family, Family::kDistilBert);
  EXPECT_EQ(config.hidden_size, 384U);
  EXPECT_EQ(config.num_layers, 6U);
  EXPECT_EQ(config.head_size(), 32U);
}

TEST(Config, EveryActivationNameOfTransformersIsAcceptedOrRefusedByName) {
  const std::pair<const char*, Activation> supported[] = {
      {"gelu", Activation::kGelu},
      {"gelu_python", Activation::kGelu},
      {"gelu_new", Activation::kGeluTanh},
      {"gelu_pytorch_tanh", Activation::kGeluTanh},
      {"gelu_python_tanh", Activation::kGeluTanh},
      {"gelu_accurate", Activation::kGeluTanh},
      {"gelu_fast", Activation::kGeluTanh},
      {"quick_gelu", Activation::kQuickGelu},
      {"relu", Activation::kRelu},
      {"silu", Activation::kSilu},
      {"swish", Activation::kSilu},
      {"tanh", Activation::kTanh}};
  for (const auto& [name, activation] : supported) {
    const std::string quoted_name = '"' + std::string(name) + '"';
    EXPECT_EQ(parse(bert("\"hidden_act\":" + quoted_name)).activation, activation) << name;
    EXPECT_EQ(parse(distilbert("\"activation\":" + quoted_name)).activation, activation) << name;
  }
  for (const std::string name : {"gelu_10", "laplace", "leaky_relu", "linear", "mish", "prelu",
                                 "relu2", "relu6", "sigmoid", "xielu", "", "GELU", "nonsense"}) {
    expect_refused(bert("\"hidden_act\":\"" + name + "\""), ErrorCode::kUnsupportedModel,
                   "hidden_act is \"" + name + "\"; supported: gelu, ");
    expect_refused(distilbert("\"activation\":\"" + name + "\""), ErrorCode::kUnsupportedModel,
                   "activation is \"" + name + "\"");
  }
}

TEST(Config, OtherFamiliesAndHeadsAreUnsupported) {
  expect_refused(R"({"model_type":"roberta"})", ErrorCode::kUnsupportedModel,
                 "model_type is \"roberta\"; supported: \"bert\", \"distilbert\"");
  expect_refused(R"({"architectures":["BertForQuestionAnswering"]})", ErrorCode::kInvalidModel,
                 "has no model_type");
  for (const std::string found : {R"(["BertModel"])", R"(["BertForMaskedLM","BertModel"])",
                                  R"(["DistilBertForQuestionAnswering"])"}) {
    const std::string message = refused(R"({"model_type":"bert","architectures":)" + found + "}",
                                        ErrorCode::kUnsupportedModel);
    EXPECT_NE(message.find("expected BertForQuestionAnswering"), std::string::npos) << message;
    EXPECT_NE(message.find(found[2]), std::string::npos) << message;
  }
  // The weights tell then.
  EXPECT_NO_THROW(parse(R"({"model_type":"bert"})"));
  EXPECT_NO_THROW(parse(R"({"model_type":"bert","architectures":null})"));
  EXPECT_NO_THROW(parse(R"({"model_type":"bert","architectures":[]})"));
}

TEST(Config, VariantsThatComputeSomethingElseAreUnsupported) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("is_decoder":true)", "is_decoder is true"},
      {R"("add_cross_attention":true)", "add_cross_attention is true"},
      {R"("is_encoder_decoder":true)", "is_encoder_decoder is true"},
      {R"("position_embedding_type":"relative_key")",
       "position_embedding_type is \"relative_key\"; supported: \"absolute\""},
      {R"("position_embedding_type":"relative_key_query")", "\"relative_key_query\""},
      {R"("position_embedding_type":"Absolute")", "position_embedding_type is \"Absolute\""},
      {R"("pruned_heads":{"0":[1]})", "pruned_heads is"},
      {R"("num_labels":3)", "num_labels is \"3\", expected 2"},
      {R"("id2label":{"0":"a","1":"b","2":"c"})", "id2label has 3 labels, expected 2"},
      {R"("quantization_config":{"quant_method":"bitsandbytes"})", "quantization_config is"},
  };
  for (const auto& [fields, part] : cases) {
    expect_refused(bert(fields), ErrorCode::kUnsupportedModel, part);
    expect_refused(distilbert(fields), ErrorCode::kUnsupportedModel, part);
  }
}

// Each size at its limits: the least and the most are accepted, one beyond is refused by name.
TEST(Config, SizesOutsideTheirLimitsAreRefusedBeforeAnythingIsAllocated) {
  struct Limit {
    const char* field;
    std::uint64_t least, most;
  };
  const Limit limits[] = {{"vocab_size", 1, 2'000'000},
                          {"hidden_size", 12, 65'532},  // 12 heads
                          {"num_hidden_layers", 1, 1'000},
                          {"intermediate_size", 1, 1'048'576},
                          {"max_position_embeddings", 1, 1'048'576},
                          {"type_vocab_size", 1, 1'024}};
  for (const auto& [field, least, most] : limits) {
    const std::string name = '"' + std::string(field) + "\":";
    EXPECT_NO_THROW(parse(bert(name + std::to_string(least)))) << field;
    EXPECT_NO_THROW(parse(bert(name + std::to_string(most)))) << field;
    const std::string part = std::string(field) + " is \"";
    for (const std::string value :
         {"0", "-1", "1000000000", "4294967297", "18446744073709551615", "18446744073709551617",
          "1e3", "2.0", "2.5", "-9223372036854775808", "null", "true", "\"12\"", "[12]", "{}"}) {
      expect_refused(bert(name + value), ErrorCode::kInvalidModel, part);
    }
  }
  expect_refused(bert(R"("num_attention_heads":0)"), ErrorCode::kInvalidModel,
                 "num_attention_heads is \"0\", expected an integer from 1 to 65536");
  expect_refused(bert(R"("hidden_size":65537)"), ErrorCode::kInvalidModel, "from 1 to 65536");
}

TEST(Config, HeadsMustDivideHiddenSize) {
  expect_refused(bert(R"("hidden_size":25,"num_attention_heads":2)"), ErrorCode::kInvalidModel,
                 "hidden_size is 25, not a multiple of num_attention_heads, which is 2");
  expect_refused(distilbert(R"("dim":4,"n_heads":8)"), ErrorCode::kInvalidModel,
                 "dim is 4, not a multiple of n_heads, which is 8");
  expect_refused(distilbert(R"("hidden_size":4,"n_heads":8)"), ErrorCode::kInvalidModel,
                 "hidden_size is 4, not a multiple of n_heads");
}

TEST(Config, FieldsThatDoNotChangeTheNumbersHaveTheirTypeAllTheSame) {
  for (const char* fields : {R"("pad_token_id":0)", R"("pad_token_id":null)", R"("qa_dropout":0.1)",
                             R"("qa_dropout":null)"}) {
    EXPECT_NO_THROW(parse(distilbert(fields))) << fields;
  }
  expect_refused(bert(R"("pad_token_id":"0")"), ErrorCode::kInvalidModel, "pad_token_id is");
  expect_refused(bert(R"("pad_token_id":-1)"), ErrorCode::kInvalidModel, "pad_token_id is");
  expect_refused(distilbert(R"("qa_dropout":"0.1")"), ErrorCode::kInvalidModel, "qa_dropout is");
}

TEST(Config, WrongJsonTypesAreNamedWithTheField) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("hidden_act":3)", "hidden_act is \"3\", expected a string"},
      {R"("hidden_act":null)", "hidden_act is \"null\""},
      {R"("is_decoder":"yes")", "is_decoder is"},
      {R"("is_decoder":1)", "is_decoder is \"1\", expected true or false"},
      {R"("position_embedding_type":null)", "position_embedding_type is \"null\""},
      {R"("pruned_heads":[1])", "pruned_heads is \"[1]\", expected an object"},
      {R"("id2label":["a","b"])", "id2label is"},
      {R"("num_labels":"2")", "num_labels is"},
      {R"("chunk_size_feed_forward":-1)", "chunk_size_feed_forward is"},
      {R"("layer_norm_eps":"1e-12")", "layer_norm_eps is"},
      {R"("layer_norm_eps":null)", "layer_norm_eps is \"null\", expected a number"},
      {R"("layer_norm_eps":-1e-12)", "layer_norm_eps is"},
      {R"("layer_norm_eps":2)", "expected a number from 0 to 1"},
  };
  for (const auto& [fields, part] : cases) {
    expect_refused(bert(fields), ErrorCode::kInvalidModel, part);
  }
  expect_refused(R"({"model_type":3})", ErrorCode::kInvalidModel, "model_type is");
  expect_refused(R"({"model_type":"bert","architectures":"BertForQuestionAnswering"})",
                 ErrorCode::kInvalidModel, "architectures is");
  expect_refused(R"({"model_type":"bert","architectures":[1]})", ErrorCode::kInvalidModel,
                 "architectures holds");
}

TEST(Config, WhatIsNotAJsonObjectIsInvalid) {
  for (const char* text : {"", "[]", "null", "{", "{\"model_type\":\"bert\"} x",
                           "{\"model_type\":\"bert\",\"layer_norm_eps\":1e999}",
                           "\xEF\xBB\xBF{\"model_type\":\"bert\"}", "{\"model_type\":\"\xFF\"}"}) {
    refused(text, ErrorCode::kInvalidModel);
  }
  refused(std::string(2 << 20, ' '), ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace lambert
