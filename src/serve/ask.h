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

#include <cstddef>
#include <string>
#include <string_view>

#include "base/json.h"
#include "serve/pending_answers.h"

namespace lambert {

// Reads the request and submits all of its questions (serve/pending_answers.h).
PendingAnswers submit(const boost::json::value& request, const Answerer& answerer,
                      const AskSettings& settings, const AskLimits& limits);

// Waits for all answers; once. Throws as Pending::wait.
std::string wait_for_reply(PendingAnswers& pending);

// The JSON of a body, which may begin with a byte order mark. Throws RequestError: 400 for what is
// no JSON in UTF-8 or nested too deep, 413 above `max_bytes`.
boost::json::value parse_body(std::string_view body, std::size_t max_bytes);

}  // namespace lambert
