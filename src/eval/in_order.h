// Many questions in flight, results in the order of the questions.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "lambert/lambert.h"
#include "wire/question_line.h"

namespace lambert {

// Starts a question; the function returned waits for its result and is called once, or never, which
// cancels. Both may throw Error. Answerer's: answerer_submit().
using Wait = std::function<Result()>;
using Submit = std::function<Wait(Question)>;

// `answerer` must outlive what is in flight.
Submit answerer_submit(const Answerer& answerer);

// How much may be in flight; one question always may. Many are wanted, so that the engine can pack
// short windows into full batches.
struct InFlight {
  std::size_t questions = 512;
  std::size_t text_bytes = std::size_t{8} << 20;  // of questions and contexts
};

using Outcome = std::variant<Result, Error>;

struct InOrder {
  std::function<std::optional<QuestionLine>()> next;
  std::function<bool()> ready;  // next() need not wait: else results come first
  Submit submit;
  std::function<void(const std::string& id, const Outcome& outcome)> emit;
  InFlight limits;
};

// Calls emit once for every question, in order; what a question throws becomes its outcome. What
// next and emit throw ends the run and is passed on; the questions in flight are cancelled.
void run_in_order(const InOrder& run);

}  // namespace lambert
