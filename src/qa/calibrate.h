// Rounding a model's weights to texts that it is meant for.
#pragma once

#include <span>

#include "lambert/lambert.h"
#include "qa/loaded_model.h"

namespace lambert {

// Rounds the weights of `model`, in int8, anew from those of `exact`, the same model in fp32, so
// that answers to questions like these differ least (model/calibration.h). Of each question the
// first window is read. At least one question. Throws kInvalidInput for a blank one, kInvalidModel
// where tokenizer and tables do not fit or logits are not finite, and as plan_windows.
void calibrate(const LoadedModel& exact, std::span<const Question> questions,
               const Kernels& kernels, ThreadPool& pool, LoadedModel& model);

}  // namespace lambert
