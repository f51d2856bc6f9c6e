#include "model/config.h"

#include <bit>
#include <cstdint>
#include <string>

#include "base/json.h"

namespace lambert {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxVocab = 2'000'000;
constexpr std::size_t kMaxHidden = 65'536;
constexpr std::size_t kMaxLayers = 1'000;
constexpr std::size_t kMaxIntermediate = std::size_t{1} << 20;
constexpr std::size_t kMaxPositions = std::size_t{1} << 20;
constexpr std::size_t kMaxTypes = 1'024;

struct NamedActivation {
  std::string_view name;
  Activation activation;
};
constexpr NamedActivation kActivations[] = {
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
    {"tanh", Activation::kTanh},
};

std::string shown(const json::value& value) {
  return quote(json::serialize(value));
}

// The fields of a config with the file's name, for messages.
class Fields {
 public:
  Fields(const json::object& object, std::string_view source) : object_(object), source_(source) {}

  const json::value* find(std::string_view name) const { return object_.if_contains(name); }

  template <typename... Parts>
  [[noreturn]] void invalid(const Parts&... parts) const {
    fail(ErrorCode::kInvalidModel, source_, ": ", parts...);
  }
  template <typename... Parts>
  [[noreturn]] void unsupported(const Parts&... parts) const {
    fail(ErrorCode::kUnsupportedModel, source_, ": ", parts...);
  }

  // An integer from `least` to `most`.
  std::size_t size(std::string_view name, std::size_t absent, std::size_t least,
                   std::size_t most) const {
    const json::value* value = find(name);
    if (value == nullptr) return absent;
    std::uint64_t number = 0;
    bool in_range = false;
    if (const auto* integer = value->if_int64()) {
      in_range = *integer >= 0;
      number = in_range ? static_cast<std::uint64_t>(*integer) : 0;
    }
    if (!in_range || number < least || number > most) {
      invalid(name, " is ", shown(*value), ", expected an integer from ", least, " to ", most);
    }
    return static_cast<std::size_t>(number);
  }

  // A string; null is none of the values that these fields can have.
  std::string text(std::string_view name, std::string_view absent) const {
    const json::value* value = find(name);
    if (value == nullptr) return std::string(absent);
    if (!value->is_string()) invalid(name, " is ", shown(*value), ", expected a string");
    return std::string(std::string_view(value->get_string()));
  }

  bool flag(std::string_view name) const {
    const json::value* value = find(name);
    if (value == nullptr || value->is_null()) return false;
    if (!value->is_bool()) invalid(name, " is ", shown(*value), ", expected true or false");
    return value->get_bool();
  }

 private:
  const json::object& object_;
  std::string_view source_;
};

Family parse_family(const Fields& fields) {
  if (fields.find("model_type") == nullptr) {
    fields.invalid("has no model_type; expected \"bert\" or \"distilbert\"");
  }
  const std::string found = fields.text("model_type", "");
  for (const Family family : {Family::kBert, Family::kDistilBert}) {
    if (found == family_name(family)) return family;
  }
  fields.unsupported("model_type is ", quote(found), "; supported: \"bert\", \"distilbert\"");
}

// The weights tell whether there is a head when `architectures` is absent.
void check_architectures(const Fields& fields, Family family) {
  const json::value* value = fields.find("architectures");
  if (value == nullptr || value->is_null()) return;
  if (!value->is_array()) {
    fields.invalid("architectures is ", shown(*value), ", expected an array of strings");
  }
  const std::string_view wanted =
      family == Family::kBert ? "BertForQuestionAnswering" : "DistilBertForQuestionAnswering";
  bool found = value->get_array().empty();
  for (const json::value& name : value->get_array()) {
    if (!name.is_string()) {
      fields.invalid("architectures holds ", shown(name), ", expected strings");
    }
    found = found || std::string_view(name.get_string()) == wanted;
  }
  if (!found) {
    fields.unsupported("architectures is ", shown(*value), ", expected ", wanted,
                       "; the model has no question-answering head that can be used: fine-tune it "
                       "for extractive question answering, or choose one that is");
  }
}

void check_labels(const Fields& fields) {
  const json::value* labels = fields.find("id2label");
  if (labels != nullptr && !labels->is_null()) {
    if (!labels->is_object()) {
      fields.invalid("id2label is ", shown(*labels), ", expected an object");
    }
    if (labels->get_object().size() != 2) {
      fields.unsupported("id2label has ", labels->get_object().size(),
                         " labels, expected 2: start and end logits");
    }
  }
  const json::value* count = fields.find("num_labels");
  if (count == nullptr || count->is_null()) return;
  if (fields.size("num_labels", 2, 0, kMaxVocab) != 2) {
    fields.unsupported("num_labels is ", shown(*count), ", expected 2: start and end logits");
  }
}

// Variants of the encoder that compute something else.
void check_variant(const Fields& fields) {
  for (const std::string_view name : {"is_decoder", "add_cross_attention", "is_encoder_decoder"}) {
    if (fields.flag(name)) {
      fields.unsupported(name, " is true; only encoders are supported, where it is false");
    }
  }
  const std::string positions = fields.text("position_embedding_type", "absolute");
  if (positions != "absolute") {
    fields.unsupported("position_embedding_type is ", quote(positions),
                       "; supported: \"absolute\"");
  }
  const json::value* pruned = fields.find("pruned_heads");
  if (pruned != nullptr && !pruned->is_null()) {
    if (!pruned->is_object()) {
      fields.invalid("pruned_heads is ", shown(*pruned), ", expected an object");
    }
    if (!pruned->get_object().empty()) {
      fields.unsupported("pruned_heads is ", shown(*pruned),
                         "; models with pruned heads are not supported");
    }
  }
  const json::value* quantization = fields.find("quantization_config");
  if (quantization != nullptr && !quantization->is_null()) {
    fields.unsupported("quantization_config is ", shown(*quantization),
                       "; use the model that was not quantized (F32, F16 or BF16)");
  }
}

Activation parse_activation(const Fields& fields, std::string_view field) {
  const std::string found = fields.text(field, "gelu");
  std::string supported;
  for (const NamedActivation& candidate : kActivations) {
    if (found == candidate.name) return candidate.activation;
    supported += supported.empty() ? "" : ", ";
    supported += candidate.name;
  }
  fields.unsupported(field, " is ", quote(found), "; supported: ", supported);
}

float parse_eps(const Fields& fields) {
  const json::value* value = fields.find("layer_norm_eps");
  if (value == nullptr) return 1e-12F;
  if (!value->is_number()) {
    fields.invalid("layer_norm_eps is ", shown(*value), ", expected a number");
  }
  const double eps = value->to_number<double>();
  if (!(eps >= 0 && eps <= 1)) {
    fields.invalid("layer_norm_eps is ", shown(*value), ", expected a number from 0 to 1");
  }
  return static_cast<float>(eps);
}

// Fields that BERT and DistilBERT name differently.
struct Names {
  std::string_view hidden, layers, heads, intermediate, activation;
};

void read_sizes(const Fields& fields, const Names& names, std::size_t default_layers,
                EncoderConfig& config) {
  config.vocab_size = fields.size("vocab_size", 30'522, 1, kMaxVocab);
  config.hidden_size = fields.size(names.hidden, 768, 1, kMaxHidden);
  config.num_layers = fields.size(names.layers, default_layers, 1, kMaxLayers);
  config.num_heads = fields.size(names.heads, 12, 1, kMaxHidden);
  config.intermediate_size = fields.size(names.intermediate, 3'072, 1, kMaxIntermediate);
  config.max_positions = fields.size("max_position_embeddings", 512, 1, kMaxPositions);
  config.activation = parse_activation(fields, names.activation);
  if (config.hidden_size % config.num_heads != 0) {
    fields.invalid(names.hidden, " is ", config.hidden_size, ", not a multiple of ", names.heads,
                   ", which is ", config.num_heads);
  }
}

// transformers sets dim first and then, by its attribute_map, what came under the other name.
std::string_view alias(const Fields& fields, std::string_view name, std::string_view own_name) {
  return fields.find(name) != nullptr ? name : own_name;
}

// Fields that do not change the numbers: batches have no padding, and dropout is for training.
void check_unused(const Fields& fields) {
  const auto given = [&](std::string_view name) {
    const json::value* value = fields.find(name);
    return value != nullptr && !value->is_null();
  };
  if (given("pad_token_id")) fields.size("pad_token_id", 0, 0, kMaxVocab);
  if (given("qa_dropout") && !fields.find("qa_dropout")->is_number()) {
    fields.invalid("qa_dropout is ", shown(*fields.find("qa_dropout")), ", expected a number");
  }
  // Only how the feed-forward part is cut to save memory.
  fields.size("chunk_size_feed_forward", 0, 0, kMaxPositions);
}

}  // namespace

std::string_view family_name(Family family) {
  return family == Family::kBert ? "bert" : "distilbert";
}

EncoderConfig parse_config(std::string_view text, std::string_view source) {
  JsonLimits limits;
  limits.max_bytes = kMaxConfigBytes;
  const json::value value = parse_json(text, source, ErrorCode::kInvalidModel, limits);
  if (!value.is_object()) fail(ErrorCode::kInvalidModel, source, ": not a JSON object");
  const Fields fields(value.get_object(), source);

  EncoderConfig config;
  config.family = parse_family(fields);
  check_architectures(fields, config.family);
  check_labels(fields);
  check_variant(fields);
  check_unused(fields);
  if (config.family == Family::kBert) {
    read_sizes(fields,
               {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
                "hidden_act"},
               12, config);
    config.type_vocab_size = fields.size("type_vocab_size", 2, 1, kMaxTypes);
    config.layer_norm_eps = parse_eps(fields);
  } else {
    fields.flag("sinusoidal_pos_embds");  // the table is stored in the weights either way
    read_sizes(fields,
               {alias(fields, "hidden_size", "dim"), alias(fields, "num_hidden_layers", "n_layers"),
                alias(fields, "num_attention_heads", "n_heads"), "hidden_dim", "activation"},
               6, config);
    config.layer_norm_eps = 1e-12F;  // fixed in this family
  }
  return config;
}

namespace {

struct PackedSize {
  std::size_t EncoderConfig::*field;
  std::uint32_t least, most;
  const char* name;
};
constexpr PackedSize kPackedSizes[] = {
    {&EncoderConfig::vocab_size, 1, kMaxVocab, "vocab_size"},
    {&EncoderConfig::hidden_size, 1, kMaxHidden, "hidden_size"},
    {&EncoderConfig::num_layers, 1, kMaxLayers, "num_layers"},
    {&EncoderConfig::num_heads, 1, kMaxHidden, "num_heads"},
    {&EncoderConfig::intermediate_size, 1, kMaxIntermediate, "intermediate_size"},
    {&EncoderConfig::max_positions, 1, kMaxPositions, "max_positions"},
    {&EncoderConfig::type_vocab_size, 0, kMaxTypes, "type_vocab_size"}};

}  // namespace

void write_config(const EncoderConfig& config, FlatWriter& packed) {
  packed.u32(static_cast<std::uint32_t>(config.family));
  for (const PackedSize& size : kPackedSizes) {
    packed.u32(static_cast<std::uint32_t>(config.*size.field));
  }
  packed.u32(std::bit_cast<std::uint32_t>(config.layer_norm_eps));
  packed.u32(static_cast<std::uint32_t>(config.activation));
}

EncoderConfig read_config(FlatReader& packed) {
  EncoderConfig config;
  config.family = static_cast<Family>(packed.u32(0, 1, "family"));
  for (const PackedSize& size : kPackedSizes) {
    config.*size.field = packed.u32(size.least, size.most, size.name);
  }
  config.layer_norm_eps = std::bit_cast<float>(packed.u32());
  constexpr auto kFirst = static_cast<std::uint32_t>(Activation::kGelu);
  constexpr auto kLast = static_cast<std::uint32_t>(Activation::kTanh);
  config.activation = static_cast<Activation>(packed.u32(kFirst, kLast, "activation"));
  if (!(config.layer_norm_eps >= 0 && config.layer_norm_eps <= 1)) {
    packed.refuse("layer_norm_eps is ", config.layer_norm_eps, ", expected 0 to 1");
  }
  if (config.hidden_size % config.num_heads != 0) {
    packed.refuse("hidden_size ", config.hidden_size, " is not a multiple of num_heads ",
                  config.num_heads);
  }
  return config;
}

}  // namespace lambert
