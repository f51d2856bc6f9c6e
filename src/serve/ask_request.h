// The JSON of a request (serve/ask.h has its forms) -> questions over documents, and how their
// replies are put together.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "serve/ask.h"

namespace lambert {

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

// Throws RequestError as submit (serve/ask.h); the ranges of parameters are the engine's to check.
AskRequest read_request(const boost::json::value& request, const AskSettings& settings);

}  // namespace lambert
