// Lambert's own form of a reply, of POST /v1/answer. The request is one of serve/ask.h with a
// single object; the reply is
//
//   {"answers":[{"answer":A,"score":S,"start":N,"end":N,"question":Q,"document":D,
//                "document_id":... where it has one},...],
//    "no_answer_score":S, "model":ID,
//    "timing":{"tokenize_ms":T,"queue_ms":T,"compute_ms":T,"total_ms":T,"windows":N,"tokens":N}}
//
// with the answers of the first question best first, then those of the second, and so on. With
// "questions", no_answer_score is an array; null where there is none. As lines, for
// application/x-ndjson: {"question":Q,"answers":[...],"no_answer_score":S} for each question as
// soon as it and those before it are answered, then {"model":...,"timing":...}, or {"error":...} in
// the place of what could not be answered.
#pragma once

#include "serve/http_service.h"

namespace lambert {

// Fills in the body, or `more` and `final_stats`. Throws as submit and Pending::wait.
void answer_v1(const boost::json::value& value, const ServiceRequest& request,
               const Answerer& answerer, const ServiceSettings& settings, const AskLimits& limits,
               ServiceReply& reply);

}  // namespace lambert
