// A request's JSON -> questions -> the reply's JSON: what every front end does with POST /ask.
//
// A request is one of
//   {"question": Q, "context": C, parameters ...}               one question over one text
//   the same with "questions": [Q, ...], and/or with "contexts" or "documents": [D, ...], where D
//   is
//     a text or {"text": C, "id": any scalar, "title": ignored}  each question over each document
//   [request, ...]                                              several of those above
//   {"inputs": one or an array of those above, "parameters": {...}}   as Hugging Face's inference
//   API
//   {"instances": [...], "parameters": {...}}                         as Vertex AI and KServe V1
// Parameters are the fields of read_parameters (wire/question_line.h); the nearer one counts.
//
// The reply is, for one question,
//   {"answer": A, "score": S, "start": N, "end": N}      the context's text [start, end)
//   {"answers": [the same, ...]}                         best first, where top_k is more than 1
//   [the same, ...]                                      instead of the latter below "inputs"
// an array of replies for several questions or requests, in their order, and {"predictions": [...]}
// for instances. With "contexts" or "documents" an answer also says "document": its place in the
// list, and "document_id" where that document has an id. Their answers are put together by score
// (mode calibrated makes scores of different documents comparable); "" is an answer only where it
// is one of every document, with the lowest of its scores, as it is for the windows of one text.
// Where score_threshold leaves no answer and top_k is 1, it is {"answer":"","score":0,...}.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "lambert/lambert.h"
#include "serve/request_error.h"

namespace lambert {

struct AskSettings {
  Parameters defaults;          // for what a request leaves out
  std::size_t max_pairs = 256;  // questions x documents of a request
  std::size_t max_pair_bytes = std::size_t{16}
                               << 20;  // of them all: a text counts for each question
};

// What a request was, in numbers: for logs and metrics, which never see a text.
struct AskStats {
  std::size_t questions = 0, pairs = 0, question_bytes = 0, context_bytes = 0;
  std::size_t answers = 0, windows = 0, tokens = 0;
  double tokenize_ms = 0, queue_ms = 0, compute_ms = 0;  // of the slowest pair
};

// A request on its way. Must not outlive the Answerer; destroying it cancels what is not answered.
class PendingReply {
 public:
  PendingReply(PendingReply&&) noexcept;
  PendingReply& operator=(PendingReply&&) noexcept;
  ~PendingReply();

  // Waits for all answers; once. Throws as Pending::wait.
  std::string wait();
  const AskStats& stats() const;  // complete after wait()

 private:
  friend PendingReply submit(const boost::json::value&, const Answerer&, const AskSettings&,
                             std::chrono::steady_clock::time_point);
  struct Request;
  explicit PendingReply(std::unique_ptr<Request> request);
  std::unique_ptr<Request> request_;
};

// Reads the request and submits all of its questions, so that their windows are computed together.
// Throws RequestError with the place of what is wrong: 422, or 413 above a limit.
PendingReply submit(const boost::json::value& request, const Answerer& answerer,
                    const AskSettings& settings, std::chrono::steady_clock::time_point deadline);

// The JSON of a body, which may begin with a byte order mark. Throws RequestError: 400 for what is
// no JSON in UTF-8 or nested too deep, 413 above `max_bytes`.
boost::json::value parse_body(std::string_view body, std::size_t max_bytes);

}  // namespace lambert
