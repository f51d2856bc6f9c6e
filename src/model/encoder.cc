#include "model/encoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>

namespace lambert {

namespace {

// A matrix of activations: rows of `stride` floats.
struct Rows {
  float* data;
  std::size_t stride;
  float* operator[](std::size_t row) const { return data + row * stride; }
  Rows from(std::size_t row) const { return {data + row * stride, stride}; }
};

// The left operand of a product in int8.
struct QuantizedRows {
  unsigned char* data;  // (rows, stride)
  float* scales;        // of a stretch, then its offsets, block by block: (blocks, 2, rows)
  std::size_t stride;
};

// The fewest of a stretch, lest reading the weights takes longer than the products do: fewer where
// a layer fits in a second-level cache.
std::size_t least_rows(const EncoderConfig& c, Precision precision) {
  constexpr std::size_t kCacheBytes = std::size_t{2} << 20U;
  const std::size_t weights = (4 * heads_width(c) + 2 * c.intermediate_size) * hidden_width(c);
  return weights * (precision == Precision::kInt8 ? 1 : 4) <= kCacheBytes ? 16 : 24;
}

// Into how many stretches the rows are cut: a multiple of `threads`, or 1 where they are too few.
std::size_t row_parts(std::size_t rows, std::size_t least, unsigned threads) {
  if (rows < threads * least) return 1;
  return threads * ((rows + threads * kMostRows - 1) / (threads * kMostRows));
}

std::size_t part_begin(std::size_t part, std::size_t parts, std::size_t size, std::size_t unit) {
  const std::size_t units = (size + unit - 1) / unit;
  return std::min(size, units * part / parts * unit);
}

}  // namespace

// A forward pass of the windows of a range, by one thread or by all.
class Forward {
 public:
  // `alone`: the thread that computes it; none: all threads of the pool share it.
  Forward(const EncoderConfig& config, const Weights& weights, const Batch& batch,
          WindowRange range, std::optional<unsigned> alone, Workspace& workspace,
          const Kernels& kernels, ThreadPool& pool, ForwardObserver* observer)
      : config_(config),
        weights_(weights),
        batch_(batch),
        range_(range),
        first_row_(batch.window_begin[range.first]),
        first_read_(batch.read_begin[range.first]),
        alone_(alone),
        kernels_(kernels),
        pool_(pool),
        hidden_{workspace.hidden_.data(), hidden_width(config)},
        kv_{workspace.kv_.data(), round_up(config.head_size(), kPanel)},
        max_tokens_(workspace.max_tokens_),
        context_{workspace.context_.data(), heads_width(config)},
        projected_{workspace.projected_.data(), hidden_width(config)},
        intermediate_{workspace.intermediate_.data(), round_up(config.intermediate_size, kPanel)},
        scratch_{workspace.scratch_.data(), workspace.scratch_size_},
        bytes_{workspace.bytes_.data(), workspace.row_scales_.data(), quantized_width(config)},
        stretch_rows_(workspace.stretch_rows_),
        observer_(observer),
        least_rows_(least_rows(config, weights.precision)) {}

  void run(std::span<float> logits) {
    by_rows(range_.tokens, [&](const Stretch& s) {
      embed(s);
      project(0, s);
    });
    for (std::size_t i = 0; i + 1 < weights_.layers.size(); ++i) {
      attend(batch_.window_begin);
      by_rows(range_.tokens, [&](const Stretch& s) {
        rest_of_layer(weights_.layers[i], s);
        project(i + 1, s);
      });
    }
    last_layer(logits);
  }

 private:
  // Rows [first, first + rows) on their way through the steps; what they leave on the way is in the
  // buffers of a thread from row `scratch` on. `shared`: few rows, in steps that all threads share.
  struct Stretch {
    std::size_t first, rows, scratch;
    bool shared;
  };

  // hidden = LayerNorm(word + position + token type)
  void embed(const Stretch& s) {
    each(s, s.rows, 1, [&](std::size_t first, std::size_t last) {
      std::size_t window = range_.first;
      for (std::size_t row = s.first + first; row < s.first + last; ++row) {
        while (batch_.window_begin[window + 1] <= row) ++window;
        embed_token(row, row - batch_.window_begin[window]);
      }
    });
    layer_norm(s, weights_.embedding_norm, nullptr);
  }

  void embed_token(std::size_t row, std::size_t position) {
    float* x = hidden_[row];  // (hidden)
    widen_row(kernels_, weights_.word, static_cast<std::size_t>(batch_.ids[row]), x);
    std::fill(x + weights_.word.width, x + hidden_.stride, 0.0F);
    if (config_.type_vocab_size > 0) {
      const auto type = static_cast<std::size_t>(batch_.type_ids[row]);
      add_row(x, weights_.token_type.data() + type * hidden_.stride);
    }
    add_row(x, weights_.position.data() + position * hidden_.stride);
  }

  void add_row(float* x, const float* row) const {
    for (std::size_t i = 0; i < hidden_.stride; ++i) x[i] += row[i];
  }

  // Rows of a head's queries (part 0), keys (1) or values (2). Those of keys and values stand one
  // behind another.
  Rows head_rows(std::size_t part, std::size_t head, std::size_t row) const {
    if (part == 0) return {context_[row] + head * kv_.stride, context_.stride};
    return kv_.from(((part - 1) * config_.num_heads + head) * max_tokens_ + row);
  }

  // context = softmax(context K^T / sqrt(head_size)) V, head by head. q_begin[w + 1] - q_begin[w]
  // rows are the queries of window w, those of the range's windows one behind another from its
  // first row on; keys and values are all tokens of the window.
  void attend(std::span<const std::uint32_t> q_begin) {
    const std::size_t heads = config_.num_heads, windows = range_.last - range_.first;
    const float scale = 1.0F / std::sqrt(static_cast<float>(config_.head_size()));
    const bool int8 = weights_.precision == Precision::kInt8;
    for_each(windows * heads, [&](std::size_t task, unsigned thread) {
      const std::size_t window = range_.first + task / heads, head = task % heads;
      const std::size_t kv_first = batch_.window_begin[window];
      const std::size_t kv_rows = batch_.window_begin[window + 1] - kv_first;
      const auto attention =
          int8 && kv_rows <= kMostKeysS8 ? kernels_.attention_s8 : kernels_.attention_f32;
      const std::size_t q_first = first_row_ + q_begin[window] - q_begin[range_.first];
      const Rows queries = head_rows(0, head, q_first);
      attention({.q = queries.data,
                 .q_stride = queries.stride,
                 .k = head_rows(1, head, kv_first).data,
                 .v = head_rows(2, head, kv_first).data,
                 .stride = kv_.stride,
                 .q_rows = q_begin[window + 1] - q_begin[window],
                 .kv_rows = kv_rows,
                 .width = kv_.stride,
                 .scale = scale,
                 .scratch = scratch_[thread]});
    });
  }

  // Keys, values and, of all layers but the last, queries of hidden.
  void project(std::size_t layer, const Stretch& s) {
    const bool last = layer + 1 == weights_.layers.size();
    project(weights_.layers[layer].qkv, last ? 1 : 0, 3, s);
  }

  // Parts [first, end) of queries, keys and values.
  void project(const PackedMatrix& qkv, std::size_t first, std::size_t end, const Stretch& s) {
    const std::size_t heads = config_.num_heads, panels = kv_.stride / kPanel;
    const Rows hidden = hidden_.from(s.first);
    quantize(s, hidden, qkv);
    each(s, (end - first) * heads, 1, [&](std::size_t begin, std::size_t stop) {
      for (std::size_t i = first * heads + begin; i < first * heads + stop; ++i) {
        multiply(s, hidden, qkv, i * panels, panels, Activation::kIdentity,
                 head_rows(i / heads, i % heads, s.first));
      }
    });
  }

  // hidden = LN(hidden + Wo context), hidden = LN(hidden + W2 activation(W1 hidden))
  void rest_of_layer(const LayerWeights& layer, const Stretch& s) {
    const Rows hidden = hidden_.from(s.first), projected = projected_.from(s.scratch);
    const Rows intermediate = intermediate_.from(s.scratch);
    linear(s, context_.from(s.first), layer.attention_output, projected);
    layer_norm(s, layer.attention_norm, &projected);
    linear(s, hidden, layer.intermediate, intermediate, config_.activation);
    linear(s, intermediate, layer.output, projected);
    layer_norm(s, layer.output_norm, &projected);
  }

  // Only the rows that are read, gathered at the beginning of the range's.
  void last_layer(std::span<float> logits) {
    const LayerWeights& layer = weights_.layers.back();
    const std::size_t reads = batch_.read_begin[range_.last] - first_read_;
    for (std::size_t i = 0; i < reads; ++i) {  // what is read does not stand in front of its place
      std::memmove(hidden_[first_row_ + i], hidden_[batch_.read_rows[first_read_ + i]],
                   hidden_.stride * sizeof(float));
    }
    by_rows(reads, [&](const Stretch& s) { project(layer.qkv, 0, 1, s); });
    attend(batch_.read_begin);
    by_rows(reads, [&](const Stretch& s) {
      rest_of_layer(layer, s);
      qa_head(s, logits);
    });
  }

  void qa_head(const Stretch& s, std::span<float> logits) {
    const Rows wide{projected_[s.scratch], kPanel};  // (rows, start and end and padding)
    linear(s, hidden_.from(s.first), weights_.qa_outputs, wide);
    for (std::size_t i = 0; i < s.rows; ++i) {
      const std::size_t read = first_read_ + s.first - first_row_ + i;
      logits[2 * read] = wide[i][0];
      logits[2 * read + 1] = wide[i][1];
    }
  }

  // to = activation(from W + b), rows of the stretch
  void linear(const Stretch& s, const Rows& from, const PackedMatrix& matrix, const Rows& to,
              Activation activation = Activation::kIdentity) {
    quantize(s, from, matrix);
    each(s, matrix.panels, 2, [&](std::size_t begin, std::size_t end) {
      const Rows part{to.data + begin * kPanel, to.stride};
      multiply(s, from, matrix, begin, end - begin, activation, part);
    });
  }

  // to = activation(from W + b) of the columns of panels [panel, panel + panels). In int8 the left
  // operand is what quantize() left.
  void multiply(const Stretch& s, const Rows& from, const PackedMatrix& matrix, std::size_t panel,
                std::size_t panels, Activation activation, const Rows& to) {
    const std::size_t column = panel * kPanel;
    const float* bias = matrix.bias.data() + column;
    if (matrix.precision == Precision::kFp32) {
      return kernels_.gemm_f32({.a = from.data,
                                .a_stride = from.stride,
                                .rows = s.rows,
                                .k = matrix.k,
                                .b = matrix.values.data() + column * matrix.k,
                                .panels = panels,
                                .bias = bias,
                                .activation = activation,
                                .c = to.data,
                                .c_stride = to.stride});
    }
    const std::size_t blocks = matrix.quantized.size();
    for (std::size_t i = 0; i < blocks; ++i) {
      const QuantizedMatrix& b = matrix.quantized[i];
      kernels_.gemm_s8(
          {.a = bytes_.data + s.scratch * bytes_.stride + i * matrix.quantized.front().k,
           .a_scale = scales(s, i),
           .a_offset = scales(s, i) + s.rows,
           .a_stride = bytes_.stride,
           .rows = s.rows,
           .k = b.k,
           .b = b.values.data() + column * b.k,
           .b_scale = b.scales.data() + column,
           .b_sums = b.sums.data() + column,
           .panels = panels,
           .bias = bias,
           .accumulate = i > 0,
           .activation = i + 1 == blocks ? activation : Activation::kIdentity,
           .c = to.data,
           .c_stride = to.stride});
    }
  }

  float* scales(const Stretch& s, std::size_t block) const {
    return bytes_.scales + kRowScales * s.scratch + 2 * block * s.rows;
  }

  // bytes_ = from, if the matrix is in int8
  void quantize(const Stretch& s, const Rows& from, const PackedMatrix& matrix) {
    if (observer_ != nullptr) observer_->inputs(matrix, {from.data, from.stride, s.rows});
    if (matrix.precision != Precision::kInt8) return;
    each(s, s.rows, 1, [&](std::size_t first, std::size_t last) {
      const std::size_t block = matrix.quantized.front().k;
      for (std::size_t i = 0; i < matrix.quantized.size(); ++i) {
        kernels_.quantize_s8({.x = from[first] + i * block,
                              .stride = from.stride,
                              .rows = last - first,
                              .width = std::min(block, from.stride - i * block),
                              .multiplier = matrix.quantized[i].multiplier.data(),
                              .addend = matrix.quantized[i].addend.data(),
                              .to = bytes_.data + (s.scratch + first) * bytes_.stride + i * block,
                              .to_stride = bytes_.stride,
                              .scales = scales(s, i) + first,
                              .offsets = scales(s, i) + s.rows + first});
      }
    });
  }

  // hidden = LN(hidden + added)
  void layer_norm(const Stretch& s, const NormWeights& norm, const Rows* added) {
    if (observer_ != nullptr && added != nullptr) {
      observer_->normalised({hidden_[s.first], hidden_.stride, s.rows},
                            {added->data, added->stride, s.rows});
    }
    each(s, s.rows, 1, [&](std::size_t first, std::size_t last) {
      kernels_.layer_norm_f32({.x = hidden_[s.first + first],
                               .stride = hidden_.stride,
                               .added = added == nullptr ? nullptr : (*added)[first],
                               .added_stride = added == nullptr ? 0 : added->stride,
                               .rows = last - first,
                               .hidden = config_.hidden_size,
                               .gamma = norm.gamma.data(),
                               .beta = norm.beta.data(),
                               .epsilon = config_.layer_norm_eps});
    });
  }

  unsigned threads() const { return alone_ ? 1 : pool_.threads(); }

  // Calls body(task, thread) for each of [0, tasks).
  template <typename Body>
  void for_each(std::size_t tasks, const Body& body) {
    if (!alone_) return pool_.parallel_for(tasks, body);
    for (std::size_t i = 0; i < tasks; ++i) body(i, *alone_);
  }

  // Calls body(stretch) for the first `rows` of the range.
  template <typename Body>
  void by_rows(std::size_t rows, const Body& body) {
    const std::size_t parts = row_parts(rows, least_rows_, threads());
    if (parts < threads()) return body(Stretch{first_row_, rows, 0, true});
    for_each(parts, [&](std::size_t i, unsigned thread) {
      const std::size_t first = part_begin(i, parts, rows, 1);
      body(Stretch{first_row_ + first, part_begin(i + 1, parts, rows, 1) - first,
                   thread * stretch_rows_, false});
    });
  }

  // Calls body(begin, end) for [0, size) in whole units.
  template <typename Body>
  void each(const Stretch& s, std::size_t size, std::size_t unit, const Body& body) {
    if (!s.shared) return body(0, size);
    const std::size_t parts =
        std::clamp<std::size_t>(size / unit / 2, 1, std::size_t{4} * pool_.threads());
    pool_.parallel_for(parts, [&](std::size_t i, unsigned) {
      body(part_begin(i, parts, size, unit), part_begin(i + 1, parts, size, unit));
    });
  }

  const EncoderConfig& config_;
  const Weights& weights_;
  const Batch& batch_;
  const WindowRange range_;
  const std::size_t first_row_, first_read_;
  const std::optional<unsigned> alone_;
  const Kernels& kernels_;
  ThreadPool& pool_;
  Rows hidden_, kv_;  // kv_: see head_rows
  std::size_t max_tokens_;
  Rows context_, projected_, intermediate_, scratch_;
  QuantizedRows bytes_;
  std::size_t stretch_rows_;
  ForwardObserver* observer_;  // or null
  std::size_t least_rows_;
};

void forward(const EncoderConfig& config, const Weights& weights, const Batch& batch,
             Workspace& workspace, const Kernels& kernels, ThreadPool& pool,
             std::span<float> logits, ForwardObserver* observer) {
  const std::span<const WindowRange> ranges =
      observer == nullptr ? workspace.ranges().cut(batch.window_begin,
                                                   least_rows(config, weights.precision), kMostRows)
                          : std::span<const WindowRange>();
  if (ranges.empty()) {
    const WindowRange all{0, batch.windows(), batch.ids.size()};
    return Forward(config, weights, batch, all, {}, workspace, kernels, pool, observer).run(logits);
  }
  pool.parallel_for(ranges.size(), [&](std::size_t i, unsigned thread) {
    Forward(config, weights, batch, ranges[i], thread, workspace, kernels, pool, nullptr)
        .run(logits);
  });
}

}  // namespace lambert
