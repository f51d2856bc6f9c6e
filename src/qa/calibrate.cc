#include "qa/calibrate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "model/calibration.h"
#include "qa/model_tokens.h"
#include "qa/windows.h"

namespace lambert {

namespace {

Window first_window(const LoadedModel& model, const Question& question) {
  const Tokenizer& tokenizer = *model.tokenizer;
  const Encoding asked = tokenizer.encode(question.question);
  const Encoding context = tokenizer.encode(question.context);
  check_ids(model, asked);
  check_ids(model, context);
  const WindowPlan plan =
      plan_windows(asked.size(), context.size(), special_tokens(tokenizer),
                   resolve(question.parameters, tokenizer.model_max_length(), model.max_window));
  if (plan.tokens(0) == 0) {
    fail(ErrorCode::kInvalidInput, "calibration: ", quote(question.question),
         " and its context have no token for this model");
  }
  Window window;
  make_window(tokenizer, asked, context, plan, 0, window);
  return window;
}

}  // namespace

void calibrate(const LoadedModel& exact, std::span<const Question> questions,
               const Kernels& kernels, ThreadPool& pool, LoadedModel& model) {
  Calibration calibration(exact.weights, model.weights, kernels, pool);
  ThreadPool alone(1);
  Workspace workspace(exact.config, Precision::kFp32, exact.max_window, exact.max_window, 1);
  std::vector<float> logits(2 * exact.max_window);
  for (const Question& question : questions) {
    const Window window = first_window(exact, question);
    const auto tokens = static_cast<std::uint32_t>(window.ids.size());
    const std::uint32_t ends[] = {0, tokens};
    std::vector<std::uint32_t> rows(tokens);
    std::iota(rows.begin(), rows.end(), 0U);
    forward(exact.config, exact.weights, {window.ids, window.type_ids, ends, rows, ends}, workspace,
            kernels, alone, std::span(logits).first(2 * std::size_t{tokens}), &calibration);
    const auto finite = [](float x) { return std::isfinite(x); };
    if (!std::all_of(logits.begin(), logits.begin() + 2 * std::ptrdiff_t{tokens}, finite)) {
      fail(ErrorCode::kInvalidModel, "calibration: the model's logits are not finite in fp32 for ",
           quote(question.question));
    }
  }
  calibration.apply();
}

}  // namespace lambert
