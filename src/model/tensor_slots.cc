// The names and shapes of the tensors, family by family (transformers' modeling_bert.py and
// modeling_distilbert.py).
#include "model/weights.h"

namespace lambert {

namespace {

// The tensors of one layer that differ between families in their names only.
struct LayerNames {
  const char *layers, *query, *key, *value, *attention_output, *attention_norm, *intermediate,
      *output, *output_norm;
};

constexpr LayerNames kBertNames = {
    "bert.encoder.layer.",   ".attention.self.query",   ".attention.self.key",
    ".attention.self.value", ".attention.output.dense", ".attention.output.LayerNorm",
    ".intermediate.dense",   ".output.dense",           ".output.LayerNorm"};

constexpr LayerNames kDistilBertNames = {"distilbert.transformer.layer.",
                                         ".attention.q_lin",
                                         ".attention.k_lin",
                                         ".attention.v_lin",
                                         ".attention.out_lin",
                                         ".sa_layer_norm",
                                         ".ffn.lin1",
                                         ".ffn.lin2",
                                         ".output_layer_norm"};

class SlotList {
 public:
  explicit SlotList(Precision precision) : precision_(precision) {}

  void embedding(const std::string& name, EmbeddingTable& table, std::size_t rows,
                 std::size_t width) {
    slots.push_back({name + ".weight", {rows, width}, IntoEmbedding{&table}});
  }

  void rows(const std::string& name, AlignedBuffer<float>& table, std::size_t rows,
            std::size_t width) {
    slots.push_back({name + ".weight", {rows, width}, IntoRows{&table, round_up(width, kPanel)}});
  }

  void norm(const std::string& name, NormWeights& norm, std::size_t hidden) {
    const std::size_t size = round_up(hidden, kPanel);
    const Groups whole{hidden, hidden};
    slots.push_back({name + ".weight", {hidden}, IntoVector{&norm.gamma, size, 0, whole}});
    slots.push_back({name + ".bias", {hidden}, IntoVector{&norm.beta, size, 0, whole}});
  }

  // `into` has everything but the bias: a linear layer with `out` outputs and `in` inputs.
  void linear(const std::string& name, std::size_t out, std::size_t in, const IntoMatrix& into) {
    slots.push_back({name + ".weight", {out, in}, into});
    slots.push_back(
        {name + ".bias",
         {out},
         IntoVector{&into.matrix->bias, into.panels * kPanel, into.first, into.columns}});
  }

  void plain_linear(const std::string& name, std::size_t out, std::size_t in,
                    PackedMatrix& matrix) {
    plain_linear(name, out, in, matrix, precision_);
  }
  void plain_linear(const std::string& name, std::size_t out, std::size_t in, PackedMatrix& matrix,
                    Precision precision) {
    const std::size_t panels = round_up(out, kPanel) / kPanel;
    linear(name, out, in, {&matrix, precision, in, panels, 0, {out, out}, {in, in}});
  }
  Precision precision() const { return precision_; }

  std::vector<TensorSlot> slots;

 private:
  Precision precision_;
};

void add_layer(SlotList& list, const EncoderConfig& config, const LayerNames& names,
               std::size_t index, LayerWeights& layer) {
  const std::string base = names.layers + std::to_string(index);
  const std::size_t hidden = config.hidden_size;
  const Groups all{hidden, hidden};
  const Groups heads{config.head_size(), round_up(config.head_size(), kPanel)};
  const std::size_t width = config.num_heads * heads.stride;  // of all heads
  const std::size_t panels = 3 * width / kPanel;
  const char* const qkv[] = {names.query, names.key, names.value};
  for (std::size_t i = 0; i < 3; ++i) {
    list.linear(base + qkv[i], hidden, hidden,
                {&layer.qkv, list.precision(), hidden, panels, i * width, heads, all});
  }
  list.linear(base + names.attention_output, hidden, hidden,
              {&layer.attention_output, list.precision(), width, round_up(hidden, kPanel) / kPanel,
               0, all, heads});
  list.norm(base + names.attention_norm, layer.attention_norm, hidden);
  list.plain_linear(base + names.intermediate, config.intermediate_size, hidden,
                    layer.intermediate);
  list.plain_linear(base + names.output, hidden, config.intermediate_size, layer.output);
  list.norm(base + names.output_norm, layer.output_norm, hidden);
}

}  // namespace

std::vector<TensorSlot> tensor_slots(const EncoderConfig& config, Precision precision,
                                     Weights& weights) {
  SlotList list(precision);
  const bool bert = config.family == Family::kBert;
  const std::string base = bert ? "bert.embeddings." : "distilbert.embeddings.";
  const std::size_t hidden = config.hidden_size;
  list.embedding(base + "word_embeddings", weights.word, config.vocab_size, hidden);
  list.rows(base + "position_embeddings", weights.position, config.max_positions, hidden);
  if (config.type_vocab_size > 0) {
    list.rows(base + "token_type_embeddings", weights.token_type, config.type_vocab_size, hidden);
  }
  list.norm(base + "LayerNorm", weights.embedding_norm, hidden);
  weights.layers.resize(config.num_layers);
  for (std::size_t i = 0; i < config.num_layers; ++i) {
    add_layer(list, config, bert ? kBertNames : kDistilBertNames, i, weights.layers[i]);
  }
  list.plain_linear("qa_outputs", 2, hidden, weights.qa_outputs, Precision::kFp32);
  return std::move(list.slots);
}

std::size_t packed_bytes(const EncoderConfig& config, Precision precision) {
  struct Bytes {  // of the buffer that a tensor is the first to fill
    std::size_t rows = 0;
    std::size_t operator()(const IntoEmbedding&) const { return 0; }
    std::size_t operator()(const IntoRows& into) const {
      return rows * into.stride * sizeof(float);
    }
    std::size_t operator()(const IntoVector& into) const {
      return into.first == 0 ? into.size * sizeof(float) : 0;
    }
    std::size_t operator()(const IntoMatrix& into) const {
      if (into.first != 0) return 0;
      if (into.precision == Precision::kInt8) return QuantizedMatrix::bytes(into.k, into.panels);
      return into.panels * into.k * kPanel * sizeof(float);
    }
  };
  Weights weights;
  std::size_t bytes = 0;
  for (const TensorSlot& slot : tensor_slots(config, precision, weights)) {
    bytes += std::visit(Bytes{slot.shape[0]}, slot.target);
  }
  return bytes;
}

}  // namespace lambert
