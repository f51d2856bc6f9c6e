// The JSON of a request (serve/ask.h has its forms) -> questions over documents, and how their
// replies are put together.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "lambert/lambert.h"
#include "serve/request_error.h"

namespace lambert {

struct AskSettings {
  Parameters defaults;          // for what a request leaves out
  std::size_t max_pairs = 256;  // questions x documents of a request
  std::size_t max_pair_bytes = std::size_t{16}
                               << 20;  // of them all: a text counts for each question
  std::size_t max_windows = static_cast<std::size_t>(-1);  // of them all
};

// What a request was, in numbers: for logs and metrics, which never see a text.
struct AskStats {
  std::size_t questions = 0, pairs = 0, question_bytes = 0, context_bytes = 0;
  std::size_t answers = 0, windows = 0, tokens = 0;
  std::size_t batch_windows = 0;                         // most that were computed together
  double tokenize_ms = 0, queue_ms = 0, compute_ms = 0;  // of the slowest pair
};

struct Document {
  std::string text;
  std::string id;  // JSON text; empty: none
};

// One question over one or several documents.
struct Query {
  std::string question;
  std::shared_ptr<const std::vector<Document>> documents;  // shared by the questions of a request
  Parameters parameters;
  bool says_document = false;           // an answer says which one it is from
  bool bare_answers = false;            // several answers are an array, not {"answers": ...}
  std::string object;                   // where it stands in the JSON: "/inputs/3"; "" at the top
  std::string question_at, context_at;  // "/inputs/3/question"

  // Where in `request` the text or parameter stands that the engine's `message` begins with.
  std::string place_of(std::string_view message, std::size_t document,
                       const boost::json::value& request) const;
};

struct ReplyShape {
  enum class Kind { kQuery, kArray, kPredictions };
  Kind kind = Kind::kQuery;
  std::size_t query = 0;          // kQuery: its index
  std::vector<ReplyShape> items;  // the others
};

struct AskRequest {
  std::vector<Query> queries;  // at least one
  ReplyShape shape;
  AskStats stats;  // what is known before the answers
};

// Throws RequestError as submit (serve/ask.h) does; the ranges of parameters are the engine's to
// check.
AskRequest read_request(const boost::json::value& request, const AskSettings& settings);

}  // namespace lambert
