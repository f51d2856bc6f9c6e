// config.json of a question-answering encoder, checked.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/flat.h"
#include "kernels/activation.h"

namespace lambert {

enum class Family { kBert, kDistilBert };

// config.json's model_type: "bert", "distilbert".
std::string_view family_name(Family family);

// All sizes are at least 1 unless noted, and small enough that products of any three fit 64 bits.
struct EncoderConfig {
  Family family = Family::kBert;
  std::size_t vocab_size = 0;         // at most 2,000,000
  std::size_t hidden_size = 0;        // at most 65,536
  std::size_t num_layers = 0;         // at most 1,000
  std::size_t num_heads = 0;          // divides hidden_size
  std::size_t intermediate_size = 0;  // at most 1,048,576
  std::size_t max_positions = 0;      // at most 1,048,576
  std::size_t type_vocab_size = 0;    // at most 1,024; 0: the family has no token types
  float layer_norm_eps = 0;           // within [0, 1]
  Activation activation = Activation::kGelu;

  std::size_t head_size() const { return hidden_size / num_heads; }
};

// `source` names the file in messages. A field that is absent has the default of transformers
// 5.2.0, and DistilBERT's hidden_size, num_hidden_layers and num_attention_heads go before dim,
// n_layers and n_heads as there. Throws kInvalidModel, naming the field, for what is damaged,
// contradictory or out of range; kUnsupportedModel, naming the field, for a valid config of another
// family, head or variant; kLimitExceeded above 1 MiB.
EncoderConfig parse_config(std::string_view json, std::string_view source);

// A config that was parsed, as numbers. read_config throws kInvalidModel for what is out of range.
void write_config(const EncoderConfig& config, FlatWriter& packed);
EncoderConfig read_config(FlatReader& packed);

}  // namespace lambert
