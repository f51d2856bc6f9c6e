#include "eval/in_order.h"

#include <deque>
#include <exception>
#include <memory>
#include <new>
#include <utility>

namespace lambert {

namespace {

struct Flight {
  std::string id;
  std::variant<Wait, Error> state;
  std::size_t text_bytes = 0;
};

Error too_little_memory() {
  return Error(ErrorCode::kLimitExceeded, "not enough memory for this question");
}

Flight start(QuestionLine line, const Submit& submit) {
  auto* question = std::get_if<Question>(&line.question);
  if (question == nullptr) {
    return {std::move(line.id), std::get<Error>(std::move(line.question)), 0};
  }
  const std::size_t bytes = question->question.size() + question->context.size();
  try {
    Wait wait = submit(std::move(*question));
    return {std::move(line.id), std::move(wait), bytes};
  } catch (const Error& error) {
    return {std::move(line.id), error, 0};
  } catch (const std::bad_alloc&) {
    return {std::move(line.id), too_little_memory(), 0};
  }
}

Outcome finish(const Flight& flight) {
  const auto* wait = std::get_if<Wait>(&flight.state);
  if (wait == nullptr) return std::get<Error>(flight.state);
  try {
    return (*wait)();
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return too_little_memory();
  }
}

}  // namespace

Submit answerer_submit(const Answerer& answerer) {
  return [&answerer](Question question) -> Wait {
    auto pending = std::make_shared<Pending>(answerer.submit(std::move(question)));
    return [pending] { return pending->wait(); };
  };
}

void run_in_order(const InOrder& run) {
  std::deque<Flight> flights;
  std::size_t text_bytes = 0;
  bool ended = false;
  for (;;) {
    while (!ended && flights.size() < run.limits.questions &&
           (flights.empty() || (text_bytes < run.limits.text_bytes && run.ready()))) {
      auto line = run.next();
      ended = !line.has_value();
      if (ended) break;
      flights.push_back(start(*std::move(line), run.submit));
      text_bytes += flights.back().text_bytes;
    }
    if (flights.empty()) return;
    const Outcome outcome = finish(flights.front());
    run.emit(flights.front().id, outcome);
    text_bytes -= flights.front().text_bytes;
    flights.pop_front();
  }
}

}  // namespace lambert
