// Logits -> probabilities, with the same bits on every machine: plain operations, no libm.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lambert {

// exp(x) with a relative error below 1e-14 for x in [-708, 709]; 0 below, infinity above, NaN for
// NaN.
double exact_exp(double x);

// 1 / (1 + exp(-x))
float sigmoid(float x);

// probabilities[i] = exp(l[i] - max l) / sum exp(l[j] - max l) in float32, l[i] being logits[i]
// where allowed[i] and -10000 elsewhere. All three have one size >= 1; a NaN makes all NaN.
void masked_softmax(std::span<const float> logits, std::span<const std::uint8_t> allowed,
                    std::vector<float>& probabilities);

}  // namespace lambert
