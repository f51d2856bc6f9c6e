#include "model/encoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace lambert {

namespace {

std::size_t hidden_width(const EncoderConfig& c) {
  return round_up(c.hidden_size, kPanel);
}
std::size_t heads_width(const EncoderConfig& c) {
  return c.num_heads * round_up(c.head_size(), kPanel);
}

// Bytes of the widest row that is quantised.
std::size_t quantized_width(const EncoderConfig& c) {
  return round_up(std::max({hidden_width(c), heads_width(c), c.intermediate_size}), kDepthS8);
}

// A matrix of activations: rows of `stride` floats.
struct Rows {
  float* data;
  std::size_t stride;
  float* operator[](std::size_t row) const { return data + row * stride; }
};

// How a loop over rows and panels is cut into tasks.
struct Grid {
  std::size_t row_parts, panel_parts;
};

// Rows: as many as keep the stretch of the left operand that a kernel works on in the second-level
// cache. Panels: an even number each, so that there are a few tasks a thread and none is tiny.
Grid make_grid(std::size_t rows, std::size_t panels, unsigned threads) {
  constexpr std::size_t kBlockRows = 400;
  const std::size_t row_parts = (rows + kBlockRows - 1) / kBlockRows;
  if (threads == 1) return {row_parts, 1};
  const std::size_t wanted = (4 * threads + row_parts - 1) / row_parts;
  return {row_parts, std::clamp<std::size_t>(wanted, 1, std::max<std::size_t>(1, panels / 4))};
}

std::size_t part_begin(std::size_t part, std::size_t parts, std::size_t size, std::size_t unit) {
  const std::size_t units = (size + unit - 1) / unit;
  return std::min(size, units * part / parts * unit);
}

}  // namespace

Workspace::Workspace(const EncoderConfig& config, Precision precision, std::size_t max_tokens,
                     std::size_t max_window, unsigned threads)
    : max_tokens_(max_tokens),
      hidden_(max_tokens * hidden_width(config)),
      residual_(max_tokens * hidden_width(config)),
      qkv_(max_tokens * 3 * heads_width(config)),
      context_(max_tokens * heads_width(config)),
      intermediate_(max_tokens * round_up(config.intermediate_size, kPanel)),
      scratch_size_(
          round_up(attention_scratch(max_window, round_up(config.head_size(), kPanel)), kPanel)) {
  scratch_ = AlignedBuffer<float>(threads * scratch_size_);
  if (precision == Precision::kInt8) {
    bytes_ = AlignedBuffer<unsigned char>(max_tokens * quantized_width(config));
    row_scales_ = AlignedBuffer<float>(2 * max_tokens);
  }
}

std::size_t Workspace::bytes(const EncoderConfig& config, Precision precision,
                             std::size_t max_tokens, std::size_t max_window, unsigned threads) {
  const std::size_t floats = 2 * hidden_width(config) + 4 * heads_width(config) +
                             round_up(config.intermediate_size, kPanel);
  const std::size_t quantized =
      precision == Precision::kInt8 ? quantized_width(config) + 2 * sizeof(float) : 0;
  const std::size_t scratch =
      attention_scratch(max_window, round_up(config.head_size(), kPanel)) + kPanel;
  return max_tokens * (floats * sizeof(float) + quantized) + threads * scratch * sizeof(float);
}

// One forward pass.
class Forward {
 public:
  Forward(const EncoderConfig& config, const Weights& weights, const Batch& batch,
          Workspace& workspace, const Kernels& kernels, ThreadPool& pool)
      : config_(config),
        weights_(weights),
        batch_(batch),
        kernels_(kernels),
        pool_(pool),
        hidden_{workspace.hidden_.data(), hidden_width(config)},
        residual_{workspace.residual_.data(), hidden_width(config)},
        qkv_{workspace.qkv_.data(), 3 * heads_width(config)},
        context_{workspace.context_.data(), heads_width(config)},
        intermediate_{workspace.intermediate_.data(), round_up(config.intermediate_size, kPanel)},
        scratch_{workspace.scratch_.data(), workspace.scratch_size_},
        bytes_(workspace.bytes_.data()),
        row_scales_(workspace.row_scales_.data()),
        row_offsets_(workspace.row_scales_.data() + workspace.max_tokens_) {}

  void run(std::span<float> logits) {
    embed();
    for (std::size_t i = 0; i + 1 < weights_.layers.size(); ++i) {
      const LayerWeights& layer = weights_.layers[i];
      linear(hidden_, tokens(), layer.qkv, 0, layer.qkv.panels, qkv_);
      attend(batch_.window_begin);
      rest_of_layer(layer, tokens());
    }
    last_layer();
    qa_head(logits);
  }

 private:
  std::size_t tokens() const { return batch_.ids.size(); }

  // hidden = LayerNorm(word + position + token type)
  void embed() {
    parallel_rows(tokens(), [&](std::size_t first, std::size_t last) {
      std::size_t window = 0;
      while (batch_.window_begin[window + 1] <= first) ++window;
      for (std::size_t row = first; row < last; ++row) {
        while (batch_.window_begin[window + 1] <= row) ++window;
        embed_token(row, row - batch_.window_begin[window]);
      }
    });
    layer_norm(hidden_, tokens(), weights_.embedding_norm);
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

  // context = softmax(Q K^T / sqrt(head_size)) V, head by head. The queries of window w are rows
  // [q_begin[w], q_begin[w + 1]) of the query columns of qkv_; keys and values are all its tokens.
  void attend(std::span<const std::uint32_t> q_begin) {
    const std::size_t heads = config_.num_heads, width = context_.stride / heads;
    const float scale = 1.0F / std::sqrt(static_cast<float>(config_.head_size()));
    const auto attention =
        weights_.precision == Precision::kInt8 ? kernels_.attention_s16 : kernels_.attention_f32;
    pool_.parallel_for(batch_.windows() * heads, [&](std::size_t task, unsigned thread) {
      const std::size_t window = task / heads, column = task % heads * width;
      const std::size_t kv_first = batch_.window_begin[window];
      const std::size_t q_first = q_begin[window];
      attention({.q = qkv_[q_first] + column,
                 .k = qkv_[kv_first] + context_.stride + column,
                 .v = qkv_[kv_first] + 2 * context_.stride + column,
                 .stride = qkv_.stride,
                 .q_stride = qkv_.stride,
                 .q_rows = q_begin[window + 1] - q_first,
                 .kv_rows = batch_.window_begin[window + 1] - kv_first,
                 .width = width,
                 .scale = scale,
                 .out = context_[q_first] + column,
                 .out_stride = context_.stride,
                 .scratch = scratch_[thread]});
    });
  }

  // From context_ and hidden_ (rows): hidden = LN(x + Wo context), hidden = LN(x + W2 act(W1 x)).
  void rest_of_layer(const LayerWeights& layer, std::size_t rows) {
    linear(context_, rows, layer.attention_output, 0, layer.attention_output.panels, residual_,
           Activation::kIdentity, &hidden_);
    std::swap(hidden_, residual_);
    layer_norm(hidden_, rows, layer.attention_norm);
    linear(hidden_, rows, layer.intermediate, 0, layer.intermediate.panels, intermediate_,
           config_.activation);
    linear(intermediate_, rows, layer.output, 0, layer.output.panels, residual_,
           Activation::kIdentity, &hidden_);
    std::swap(hidden_, residual_);
    layer_norm(hidden_, rows, layer.output_norm);
  }

  // Keys and values of all rows, everything else only of the rows that are read.
  void last_layer() {
    const LayerWeights& layer = weights_.layers.back();
    const std::size_t query_panels = layer.qkv.panels / 3, reads = batch_.read_rows.size();
    linear(hidden_, tokens(), layer.qkv, query_panels, 2 * query_panels, qkv_);
    for (std::size_t i = 0; i < reads; ++i) {
      std::memcpy(residual_[i], hidden_[batch_.read_rows[i]], hidden_.stride * sizeof(float));
    }
    std::swap(hidden_, residual_);
    linear(hidden_, reads, layer.qkv, 0, query_panels, qkv_);
    attend(batch_.read_begin);
    rest_of_layer(layer, reads);
  }

  void qa_head(std::span<float> logits) {
    const std::size_t reads = batch_.read_rows.size();
    const Rows wide{residual_.data, kPanel};  // (reads, start and end and padding)
    linear(hidden_, reads, weights_.qa_outputs, 0, 1, wide);
    for (std::size_t i = 0; i < reads; ++i) {
      logits[2 * i] = wide[i][0];
      logits[2 * i + 1] = wide[i][1];
    }
  }

  // Columns of panels [first, first + panels): to = activation(from W + b) + residual.
  void linear(const Rows& from, std::size_t rows, const PackedMatrix& matrix, std::size_t first,
              std::size_t panels, const Rows& to, Activation activation = Activation::kIdentity,
              const Rows* residual = nullptr) {
    if (rows == 0) return;
    const bool int8 = matrix.precision == Precision::kInt8;
    if (int8) quantize(from, rows);
    const Grid grid = make_grid(rows, panels, pool_.threads());
    pool_.parallel_for(grid.row_parts * grid.panel_parts, [&](std::size_t task, unsigned) {
      const std::size_t i = task / grid.panel_parts, j = task % grid.panel_parts;
      const std::size_t row = part_begin(i, grid.row_parts, rows, 1);
      const std::size_t panel = first + part_begin(j, grid.panel_parts, panels, 2);
      const std::size_t column = panel * kPanel;
      const Block block{row, part_begin(i + 1, grid.row_parts, rows, 1) - row, panel,
                        first + part_begin(j + 1, grid.panel_parts, panels, 2) - panel};
      const float* added = residual == nullptr ? nullptr : (*residual)[row] + column;
      const std::size_t added_stride = residual == nullptr ? 0 : residual->stride;
      if (int8) {
        kernels_.gemm_s8(product_s8(matrix, block, activation, added, added_stride, to));
      } else {
        kernels_.gemm_f32(product_f32(from, matrix, block, activation, added, added_stride, to));
      }
    });
  }

  struct Block {  // of a product
    std::size_t row, rows, panel, panels;
  };

  static GemmF32 product_f32(const Rows& from, const PackedMatrix& matrix, const Block& block,
                             Activation activation, const float* residual,
                             std::size_t residual_stride, const Rows& to) {
    const std::size_t column = block.panel * kPanel;
    return {.a = from[block.row],
            .a_stride = from.stride,
            .rows = block.rows,
            .k = matrix.k,
            .b = matrix.values.data() + column * matrix.k,
            .panels = block.panels,
            .bias = matrix.bias.data() + column,
            .activation = activation,
            .residual = residual,
            .residual_stride = residual_stride,
            .c = to[block.row] + column,
            .c_stride = to.stride};
  }

  // The left operand is what quantize() left in bytes_.
  GemmS8 product_s8(const PackedMatrix& matrix, const Block& block, Activation activation,
                    const float* residual, std::size_t residual_stride, const Rows& to) const {
    const std::size_t column = block.panel * kPanel;
    const QuantizedMatrix& b = matrix.quantized;
    return {.a = bytes_ + block.row * b.k,
            .a_scale = row_scales_ + block.row,
            .a_offset = row_offsets_ + block.row,
            .a_stride = b.k,
            .rows = block.rows,
            .k = b.k,
            .b = b.values.data() + column * b.k,
            .b_scale = b.scales.data() + column,
            .b_sums = b.sums.data() + column,
            .panels = block.panels,
            .bias = matrix.bias.data() + column,
            .activation = activation,
            .residual = residual,
            .residual_stride = residual_stride,
            .c = to[block.row] + column,
            .c_stride = to.stride};
  }

  // bytes_, row_scales_ and row_offsets_ = `from`, row by row.
  void quantize(const Rows& from, std::size_t rows) {
    const std::size_t stride = round_up(from.stride, kDepthS8);
    parallel_rows(rows, [&](std::size_t first, std::size_t last) {
      kernels_.quantize_s8({.x = from[first],
                            .stride = from.stride,
                            .rows = last - first,
                            .width = from.stride,
                            .to = bytes_ + first * stride,
                            .to_stride = stride,
                            .scales = row_scales_ + first,
                            .offsets = row_offsets_ + first});
    });
  }

  void layer_norm(const Rows& x, std::size_t rows, const NormWeights& norm) {
    parallel_rows(rows, [&](std::size_t first, std::size_t last) {
      kernels_.layer_norm_f32({.x = x[first],
                               .stride = x.stride,
                               .rows = last - first,
                               .hidden = config_.hidden_size,
                               .gamma = norm.gamma.data(),
                               .beta = norm.beta.data(),
                               .epsilon = config_.layer_norm_eps});
    });
  }

  template <typename Body>
  void parallel_rows(std::size_t rows, const Body& body) {
    constexpr std::size_t kRowsATask = 32;
    const std::size_t tasks = pool_.threads() == 1 ? 1 : (rows + kRowsATask - 1) / kRowsATask;
    pool_.parallel_for(tasks, [&](std::size_t task, unsigned) {
      body(part_begin(task, tasks, rows, 1), part_begin(task + 1, tasks, rows, 1));
    });
  }

  const EncoderConfig& config_;
  const Weights& weights_;
  const Batch& batch_;
  const Kernels& kernels_;
  ThreadPool& pool_;
  Rows hidden_, residual_, qkv_, context_, intermediate_, scratch_;
  unsigned char* bytes_;
  float *row_scales_, *row_offsets_;
};

void forward(const EncoderConfig& config, const Weights& weights, const Batch& batch,
             Workspace& workspace, const Kernels& kernels, ThreadPool& pool,
             std::span<float> logits) {
  Forward(config, weights, batch, workspace, kernels, pool).run(logits);
}

}  // namespace lambert
