// Weights in int8 that fit what passes through a model: of texts, the inputs of every matrix are
// looked at in fp32. Each input gets a shift c and a multiplier m, so that (x - c) m are rows that
// lose little as bytes, and weights are rounded so that errors of one cancel those of others.
//
// That inputs and weights share what rounding costs by m is SmoothQuant's idea (Xiao et al., 2023),
// here with m found by descent; rounding against the inputs' covariance is that of
// Optimal Brain Quantization (Frantar et al., 2022), here by LDLQ and coordinate descent.
#pragma once

#include <cstddef>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/thread_pool.h"
#include "kernels/kernels.h"
#include "model/encoder.h"
#include "model/weights.h"

namespace lambert {

// Mean and covariance of the rows that a matrix is multiplied with, each row with a weight.
class InputStatistics {
 public:
  // Rows of k numbers, (rows, round_up(k, kPanel)).
  InputStatistics(std::size_t k, const Kernels& kernels, ThreadPool& pool);

  void add(const float* row, float weight);
  void finish();

  std::size_t k() const { return k_; }
  // After finish(), which needs at least one row:
  std::span<const float> mean() const { return mean_; }
  float covariance(std::size_t i, std::size_t j) const { return gram_[i * width_ + j]; }
  // The first rows, without the mean; (samples, stride)
  std::size_t samples() const { return samples_; }
  const float* sample(std::size_t row) const { return sample_.data() + row * width_; }
  float sample_weight(std::size_t row) const { return sample_weights_[row]; }

 private:
  void flush();

  const Kernels* kernels_;
  ThreadPool* pool_;
  std::size_t k_, width_;
  std::vector<float> origin_;  // near the mean: the first rows'
  AlignedBuffer<float> rows_;  // (kRows, width)
  std::vector<float> weights_;
  std::size_t count_ = 0, samples_ = 0;
  std::vector<float> sample_, sample_weights_, mean_;
  std::vector<double> sum_;  // of weight * (x - origin)
  double total_ = 0;         // of weights
  AlignedBuffer<float> gram_;
};

class Calibration : public ForwardObserver {
 public:
  // `exact`, in fp32, computes forward passes with a pool of one thread while this watches;
  // `rounded` is the same model in int8. All references are used until apply() returns.
  Calibration(const Weights& exact, Weights& rounded, const Kernels& kernels, ThreadPool& pool);

  void inputs(const PackedMatrix& matrix, Observed rows) override;
  void normalised(Observed x, Observed added) override;

  // Rounds the matrices of `exact` into those of `rounded`, as the loader left them: once. Same
  // texts, same bytes, on every machine and any number of threads.
  void apply();

 private:
  static void add(std::vector<InputStatistics>& blocks, const float* row, float weight);

  const Weights& exact_;
  Weights& rounded_;
  ThreadPool& pool_;
  std::unordered_map<const PackedMatrix*, std::vector<InputStatistics>> statistics_;  // of blocks
  std::vector<InputStatistics>* pending_ = nullptr;  // its rows wait for the norm that follows
  Observed pending_rows_;
};

}  // namespace lambert
