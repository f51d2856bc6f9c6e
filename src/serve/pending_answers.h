// The questions of a request on their way through the engine: what every form of reply is made of.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "serve/ask_request.h"

namespace lambert {

struct FoundAnswer {
  Answer answer;
  std::size_t document;
};

// What was found for one question in all of its documents.
struct FoundAnswers {
  std::vector<FoundAnswer> answers;       // best first, top_k at most
  std::optional<double> no_answer_score;  // the lowest, where every document has one
};

// How long a request may take, and whether anybody still waits for it.
struct AskLimits {
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::function<bool()> cancelled = {};
};

// Must not outlive the Answerer; destroying it cancels what is not answered.
class PendingAnswers {
 public:
  // Submits all questions, so that their windows are computed together; later pairs of a large
  // request rank below other requests. `value` is what `request` was read from. Throws RequestError
  // with the place of what is wrong: 422, or 413 above a limit.
  PendingAnswers(AskRequest request, const boost::json::value& value, const Answerer& answerer,
                 const AskSettings& settings, const AskLimits& limits);

  std::size_t size() const { return request_.queries.size(); }
  const Query& query(std::size_t index) const { return request_.queries[index]; }
  const ReplyShape& shape() const { return request_.shape; }
  // Waits for one question; once. Throws as Pending::wait.
  FoundAnswers wait(std::size_t index);
  const AskStats& stats() const { return request_.stats; }  // complete after all waits

 private:
  Pending submit(std::size_t query, std::size_t document, const boost::json::value& value,
                 const Answerer& answerer, const AskLimits& limits);

  AskRequest request_;
  std::vector<std::vector<Pending>> pending_;  // (queries)(documents)
  std::size_t pairs_ = 0, windows_ = 0;        // submitted so far
};

// {"answer":...,"score":...,"start":...,"end":...} with the document, where the query says it;
// `question`: "question":N as well.
void append_found(std::string& out, const FoundAnswer& found, const Query& query,
                  std::optional<std::size_t> question = std::nullopt);

}  // namespace lambert
