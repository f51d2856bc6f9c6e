// The names and shapes of the tensors, family by family (transformers' modeling_bert.py and
// modeling_distilbert.py).
#include <utility>

#include "base/error.h"
#include "checkpoint/bundle.h"
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

// The name of a tensor without ".weight" or ".bias", and its role: three letters, which are the
// first of a section's kind.
struct Named {
  std::string name;
  const char* role;

  std::uint32_t kind(char part) const {
    return section_kind({role[0], role[1], role[2], part, '\0'});
  }
};

class SlotList {
 public:
  explicit SlotList(Precision precision) : precision_(precision) {}

  // Of the tensors that come next.
  void begin_layer(std::size_t layer) { layer_ = static_cast<std::uint32_t>(layer); }

  void embedding(const Named& named, EmbeddingTable& table, std::size_t rows, std::size_t width) {
    add(named, 'w', {rows, width}, IntoEmbedding{&table, precision_});
  }

  void rows(const Named& named, WeightArray<float>& table, std::size_t rows, std::size_t width) {
    add(named, 'w', {rows, width}, IntoRows{&table, round_up(width, kPanel)});
  }

  void norm(const Named& named, NormWeights& norm, std::size_t hidden) {
    const std::size_t size = round_up(hidden, kPanel);
    const Groups whole{hidden, hidden};
    add(named, 'w', {hidden}, IntoVector{&norm.gamma, size, 0, whole});
    add(named, 'b', {hidden}, IntoVector{&norm.beta, size, 0, whole});
  }

  // `into` has everything but the bias: a linear layer with `out` outputs and `in` inputs.
  void linear(const Named& named, std::size_t out, std::size_t in, const IntoMatrix& into) {
    if (into.precision == Precision::kInt8 && into.k > kMaxInputsS8) {
      fail(ErrorCode::kUnsupportedModel, named.name, " has ", into.k,
           " inputs, int8 takes at most ", kMaxInputsS8, "; use precision fp32");
    }
    add(named, 'w', {out, in}, into);
    add(named, 'b', {out},
        IntoVector{&into.matrix->bias, into.panels * kPanel, into.first, into.columns});
  }

  void plain_linear(const Named& named, std::size_t out, std::size_t in, PackedMatrix& matrix) {
    plain_linear(named, out, in, matrix, precision_, 1);
  }
  void plain_linear(const Named& named, std::size_t out, std::size_t in, PackedMatrix& matrix,
                    Precision precision, std::size_t blocks) {
    const std::size_t panels = round_up(out, kPanel) / kPanel;
    linear(named, out, in,
           {&matrix, precision, in, panels, 0, {out, out}, {in, in}, block_size(in, blocks)});
  }
  Precision precision() const { return precision_; }

  std::vector<TensorSlot> slots;

 private:
  void add(const Named& named, char part, std::vector<std::uint64_t> shape,
           const decltype(TensorSlot::target)& target) {
    const char* const suffix = part == 'w' ? ".weight" : ".bias";
    slots.push_back({named.name + suffix, std::move(shape), target, named.kind(part), layer_});
  }

  Precision precision_;
  std::uint32_t layer_ = 0;
};

void add_layer(SlotList& list, const EncoderConfig& config, const LayerNames& names,
               std::size_t index, LayerWeights& layer) {
  const std::string base = names.layers + std::to_string(index);
  list.begin_layer(index);
  const std::size_t hidden = config.hidden_size;
  const Groups all{hidden, hidden};
  const Groups heads{config.head_size(), round_up(config.head_size(), kPanel)};
  const std::size_t width = config.num_heads * heads.stride;  // of all heads
  const std::size_t panels = 3 * width / kPanel;
  const char* const qkv[] = {names.query, names.key, names.value};
  for (std::size_t i = 0; i < 3; ++i) {
    list.linear({base + qkv[i], "qkv"}, hidden, hidden,
                {&layer.qkv, list.precision(), hidden, panels, i * width, heads, all,
                 block_size(hidden, 1)});
  }
  list.linear({base + names.attention_output, "att"}, hidden, hidden,
              {&layer.attention_output, list.precision(), width, round_up(hidden, kPanel) / kPanel,
               0, all, heads, block_size(width, 1)});
  list.norm({base + names.attention_norm, "anm"}, layer.attention_norm, hidden);
  list.plain_linear({base + names.intermediate, "int"}, config.intermediate_size, hidden,
                    layer.intermediate);
  list.plain_linear({base + names.output, "out"}, hidden, config.intermediate_size, layer.output,
                    list.precision(), kOutputBlocks);
  list.norm({base + names.output_norm, "onm"}, layer.output_norm, hidden);
}

}  // namespace

std::vector<TensorSlot> tensor_slots(const EncoderConfig& config, Precision precision,
                                     Weights& weights) {
  SlotList list(precision);
  const bool bert = config.family == Family::kBert;
  const std::string base = bert ? "bert.embeddings." : "distilbert.embeddings.";
  const std::size_t hidden = config.hidden_size;
  list.embedding({base + "word_embeddings", "wrd"}, weights.word, config.vocab_size, hidden);
  list.rows({base + "position_embeddings", "pos"}, weights.position, config.max_positions, hidden);
  if (config.type_vocab_size > 0) {
    list.rows({base + "token_type_embeddings", "typ"}, weights.token_type, config.type_vocab_size,
              hidden);
  }
  list.norm({base + "LayerNorm", "enm"}, weights.embedding_norm, hidden);
  weights.layers.resize(config.num_layers);
  for (std::size_t i = 0; i < config.num_layers; ++i) {
    add_layer(list, config, bert ? kBertNames : kDistilBertNames, i, weights.layers[i]);
  }
  list.begin_layer(0);
  list.plain_linear({"qa_outputs", "qao"}, 2, hidden, weights.qa_outputs, Precision::kFp32, 1);
  return std::move(list.slots);
}

}  // namespace lambert
