#include "model/calibration.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

namespace lambert {

namespace {

constexpr std::size_t kRows = 1024;  // that are held until they enter the covariance

AlignedBuffer<float> zeroed(std::size_t size) {
  AlignedBuffer<float> buffer(size);
  std::memset(buffer.data(), 0, size * sizeof(float));
  return buffer;
}

}  // namespace

InputStatistics::InputStatistics(std::size_t k, const Kernels& kernels, ThreadPool& pool)
    : kernels_(&kernels),
      pool_(&pool),
      k_(k),
      width_(round_up(k, kPanel)),
      rows_(kRows * width_),
      weights_(kRows),
      sum_(width_),
      gram_(zeroed(width_ * width_)) {}

void InputStatistics::add(const float* row, float weight) {
  std::copy_n(row, width_, rows_.data() + count_ * width_);
  weights_[count_] = weight;
  if (++count_ == kRows) flush();
}

// gram_ += (weight * (x - origin))^T (x - origin)
void InputStatistics::flush() {
  if (count_ == 0) return;
  if (origin_.empty()) {
    origin_.assign(width_, 0.0F);
    for (std::size_t j = 0; j < width_; ++j) {
      double sum = 0;
      for (std::size_t i = 0; i < count_; ++i) sum += rows_[i * width_ + j];
      origin_[j] = static_cast<float>(sum / static_cast<double>(count_));
    }
  }
  const std::size_t panels = width_ / kPanel;
  AlignedBuffer<float> left(width_ * count_), right(panels * count_ * kPanel);
  for (std::size_t i = 0; i < count_; ++i) {
    float* row = rows_.data() + i * width_;
    for (std::size_t j = 0; j < width_; ++j) {
      row[j] -= origin_[j];
      left[j * count_ + i] = row[j] * weights_[i];
      right[(j / kPanel * count_ + i) * kPanel + j % kPanel] = row[j];
      sum_[j] += double{left[j * count_ + i]};
    }
    total_ += double{weights_[i]};
  }
  if (samples_ == 0) {
    samples_ = count_;
    sample_.assign(rows_.data(), rows_.data() + count_ * width_);
    sample_weights_.assign(weights_.begin(), weights_.begin() + static_cast<long>(count_));
  }
  const AlignedBuffer<float> zeros = zeroed(width_);
  AlignedBuffer<float> product(width_ * width_);
  pool_->parallel_for(panels, [&](std::size_t panel, unsigned) {
    kernels_->gemm_f32({.a = left.data(),
                        .a_stride = count_,
                        .rows = width_,
                        .k = count_,
                        .b = right.data() + panel * count_ * kPanel,
                        .panels = 1,
                        .bias = zeros.data(),
                        .c = product.data() + panel * kPanel,
                        .c_stride = width_});
  });
  for (std::size_t i = 0; i < gram_.size(); ++i) gram_.data()[i] += product[i];
  count_ = 0;
}

void InputStatistics::finish() {
  flush();
  mean_.assign(width_, 0.0F);
  std::vector<double> offset(width_);  // of the mean from the origin
  for (std::size_t j = 0; j < width_; ++j) {
    offset[j] = sum_[j] / total_;
    mean_[j] = static_cast<float>(double{origin_[j]} + offset[j]);
  }
  for (std::size_t i = 0; i < width_; ++i) {
    for (std::size_t j = 0; j < width_; ++j) {
      float& entry = gram_.data()[i * width_ + j];
      entry = static_cast<float>(double{entry} / total_ - offset[i] * offset[j]);
    }
  }
  for (std::size_t i = 0; i < samples_; ++i) {
    for (std::size_t j = 0; j < width_; ++j) {
      sample_[i * width_ + j] -= static_cast<float>(offset[j]);
    }
  }
}

namespace {

float weight_of(const PackedMatrix& exact, std::size_t input, std::size_t column) {
  return exact.values[(column / kPanel * exact.k + input) * kPanel + column % kPanel];
}

// The multipliers m of a matrix's inputs, by descent from m = 1. Minimises the sum of both errors
// of an output, as if independent and uniform: E = A R + B P / 2, half because rounding by
// covariance leaves that much, with
//   A = sum over inputs of |w / m|^2,           R = mean of (range of a row x m)^2 / 254^2
//   B = sum over columns of scale(w / m)^2,     P = sum over inputs of variance(x) m^2.
class MultiplierSearch {
 public:
  MultiplierSearch(const PackedMatrix& exact, std::size_t first, const InputStatistics& inputs)
      : inputs_(inputs),
        k_(inputs.k()),
        columns_(exact.panels * kPanel),
        weights_(columns_ * k_),
        power_(k_),
        multiplier_(k_, 1.0F),
        slope_(k_),
        slopes_(k_) {
    for (std::size_t n = 0; n < columns_; ++n) {
      for (std::size_t j = 0; j < k_; ++j) {
        const float weight = weight_of(exact, first + j, n);
        weights_[n * k_ + j] = weight;
        power_[j] += double{weight} * weight;
      }
    }
  }

  std::vector<float> run() {
    constexpr int kSteps = 100;
    std::vector<float> best = multiplier_;
    double least = std::numeric_limits<double>::infinity();
    for (int i = 0; i < kSteps; ++i) {
      const double error = evaluate();
      if (error < least) {
        least = error;
        best = multiplier_;
      }
      move(0.1 * (kSteps - i) / kSteps);
    }
    return best;
  }

 private:
  // E, and slope_[j] = dE / d log m[j].
  double evaluate() {
    const double rows = evaluate_rows(), steps = evaluate_steps();  // R and B, and their slopes
    double of_weights = 0, of_inputs = 0;                           // A and P
    for (std::size_t j = 0; j < k_; ++j) {
      const double m = multiplier_[j];
      of_weights += power_[j] / (m * m);
      of_inputs += double{inputs_.covariance(j, j)} * m * m;
    }
    for (std::size_t j = 0; j < k_; ++j) {
      const double m = multiplier_[j];
      slope_[j] =
          of_weights * row_slope_[j] - 2 * power_[j] / (m * m) * rows +
          0.5 * (of_inputs * step_slope_[j] + 2 * double{inputs_.covariance(j, j)} * m * m * steps);
    }
    return of_weights * rows + 0.5 * steps * of_inputs;
  }

  double evaluate_rows() {
    row_slope_.assign(k_, 0.0);
    double ranges = 0, total = 0;
    for (std::size_t i = 0; i < inputs_.samples(); ++i) {
      const float* x = inputs_.sample(i);
      std::size_t low = 0, high = 0;
      for (std::size_t j = 1; j < k_; ++j) {
        if (x[j] * multiplier_[j] < x[low] * multiplier_[low]) low = j;
        if (x[j] * multiplier_[j] > x[high] * multiplier_[high]) high = j;
      }
      const double most = double{x[high]} * multiplier_[high];
      const double least = double{x[low]} * multiplier_[low];
      const double weight = inputs_.sample_weight(i), range = (most - least) / 254;
      ranges += weight * range * range;
      row_slope_[high] += 2 * weight * range * most / 254;
      row_slope_[low] -= 2 * weight * range * least / 254;
      total += weight;
    }
    for (double& slope : row_slope_) slope /= total;
    return ranges / total;
  }

  double evaluate_steps() {
    step_slope_.assign(k_, 0.0);
    double steps = 0;
    std::vector<float> column(k_);
    for (std::size_t n = 0; n < columns_; ++n) {
      for (std::size_t j = 0; j < k_; ++j) column[j] = weights_[n * k_ + j] / multiplier_[j];
      const auto [group, positive, sum] = QuantizedMatrix::largest_group(column);
      const double step = sum / QuantizedMatrix::kGroup;
      steps += step * step;
      for (const std::size_t j : {group, group + 1, group + 4, group + 5}) {
        if (j >= k_ || (column[j] > 0) != positive) continue;
        step_slope_[j] -= 2 * step * std::fabs(double{column[j]}) / QuantizedMatrix::kGroup;
      }
    }
    return steps;
  }

  // Each multiplier by as much as its slope stands out of its own past (RMSProp).
  void move(double rate) {
    for (std::size_t j = 0; j < k_; ++j) {
      slopes_[j] = 0.9 * slopes_[j] + 0.1 * slope_[j] * slope_[j];
      if (slopes_[j] == 0) continue;
      const double by = std::clamp(slope_[j] / std::sqrt(slopes_[j]), -2.0, 2.0);
      const double moved = multiplier_[j] * (1 - rate * by);
      multiplier_[j] = static_cast<float>(std::clamp(moved, 1e-6, 1e6));
    }
  }

  const InputStatistics& inputs_;
  std::size_t k_, columns_;
  std::vector<float> weights_;  // (columns, k)
  std::vector<double> power_;   // (k), sums of squares of weights
  std::vector<float> multiplier_;
  std::vector<double> slope_, slopes_, row_slope_, step_slope_;
};

// Rounds one matrix.
class Rounding {
 public:
  // Of inputs [first, first + inputs.k()).
  Rounding(const PackedMatrix& exact, std::size_t first, const InputStatistics& inputs)
      : exact_(exact),
        inputs_(inputs),
        first_(first),
        k_(inputs.k()),
        multiplier_(MultiplierSearch(exact, first, inputs).run()),
        covariance_(k_, multiplied(inputs, multiplier_)) {}

  void round_into(QuantizedMatrix& to, WeightArray<float>& bias, ThreadPool& pool) {
    for (std::size_t j = 0; j < k_; ++j) {
      to.multiplier.writable()[j] = multiplier_[j];
      to.addend.writable()[j] = -(inputs_.mean()[j] * multiplier_[j]);
    }
    pool.parallel_for(exact_.panels * kPanel,
                      [&](std::size_t column, unsigned) { round_column(column, to, bias); });
  }

 private:
  // The covariance of (x - c) m.
  static std::vector<float> multiplied(const InputStatistics& inputs,
                                       std::span<const float> multiplier) {
    const std::size_t k = inputs.k();
    std::vector<float> covariance(k * k);
    for (std::size_t i = 0; i < k; ++i) {
      for (std::size_t j = 0; j < k; ++j) {
        covariance[i * k + j] = inputs.covariance(i, j) * multiplier[i] * multiplier[j];
      }
    }
    return covariance;
  }

  void round_column(std::size_t column, QuantizedMatrix& to, WeightArray<float>& bias) const {
    std::vector<float> weights(k_);
    double shifted = 0;
    for (std::size_t j = 0; j < k_; ++j) {
      const float weight = weight_of(exact_, first_ + j, column);
      weights[j] = weight / multiplier_[j];
      shifted += double{weight} * double{inputs_.mean()[j]};
    }
    bias.writable()[column] += static_cast<float>(shifted);
    to.set_column(column, weights);
    if (to.scales[column] > 0) to.refine_column(column, weights, covariance_);
  }

  const PackedMatrix& exact_;
  const InputStatistics& inputs_;
  std::size_t first_, k_;
  std::vector<float> multiplier_;
  InputCovariance covariance_;  // of (x - c) m
};

constexpr PackedMatrix LayerWeights::*kMatrices[] = {
    &LayerWeights::qkv, &LayerWeights::attention_output, &LayerWeights::intermediate,
    &LayerWeights::output};

}  // namespace

Calibration::Calibration(const Weights& exact, Weights& rounded, const Kernels& kernels,
                         ThreadPool& pool)
    : exact_(exact), rounded_(rounded), pool_(pool) {
  for (std::size_t i = 0; i < exact.layers.size(); ++i) {
    for (const auto member : kMatrices) {
      const PackedMatrix& matrix = exact.layers[i].*member;
      const std::size_t block = (rounded.layers[i].*member).quantized.front().k;
      for (std::size_t first = 0; first < matrix.k; first += block) {
        statistics_[&matrix].emplace_back(std::min(block, matrix.k - first), kernels, pool);
      }
    }
  }
}

void Calibration::inputs(const PackedMatrix& matrix, Observed rows) {
  const auto found = statistics_.find(&matrix);
  if (found == statistics_.end()) return;
  const bool before_norm =
      std::any_of(exact_.layers.begin(), exact_.layers.end(), [&](const LayerWeights& layer) {
        return &matrix == &layer.attention_output || &matrix == &layer.output;
      });
  if (before_norm) {
    pending_ = &found->second;
    pending_rows_ = rows;
    return;
  }
  for (std::size_t i = 0; i < rows.count; ++i) {
    add(found->second, rows.data + i * rows.stride, 1.0F);
  }
}

void Calibration::add(std::vector<InputStatistics>& blocks, const float* row, float weight) {
  for (InputStatistics& block : blocks) {
    block.add(row, weight);
    row += block.k();
  }
}

// The norm divides what is wrong with a row by the row's standard deviation.
void Calibration::normalised(Observed x, Observed added) {
  if (pending_ == nullptr) return;
  const std::size_t hidden = exact_.layers.front().attention_norm.gamma.size();
  for (std::size_t i = 0; i < x.count; ++i) {
    double sum = 0, squares = 0;
    for (std::size_t j = 0; j < hidden; ++j) {
      const double value = double{x.data[i * x.stride + j]} + added.data[i * added.stride + j];
      sum += value;
      squares += value * value;
    }
    const double mean = sum / static_cast<double>(hidden);
    const double variance = squares / static_cast<double>(hidden) - mean * mean;
    add(*pending_, pending_rows_.data + i * pending_rows_.stride,
        static_cast<float>(1 / std::max(variance, 1e-6)));
  }
  pending_ = nullptr;
}

void Calibration::apply() {
  for (std::size_t i = 0; i < exact_.layers.size(); ++i) {
    for (const auto member : kMatrices) {
      const PackedMatrix& exact = exact_.layers[i].*member;
      PackedMatrix& rounded = rounded_.layers[i].*member;
      std::vector<InputStatistics>& inputs = statistics_.at(&exact);
      for (InputStatistics& block : inputs) block.finish();
      std::vector<std::optional<Rounding>> roundings(inputs.size());
      pool_.parallel_for(inputs.size(), [&](std::size_t block, unsigned) {
        roundings[block].emplace(exact, block * inputs.front().k(), inputs[block]);
      });
      for (std::size_t block = 0; block < inputs.size(); ++block) {
        roundings[block]->round_into(rounded.quantized[block], rounded.bias, pool_);
      }
      statistics_.erase(&exact);
    }
  }
}

}  // namespace lambert
