// Replies of the service that are not answers.
#pragma once

#include <string>

#include "base/json.h"
#include "lambert/lambert.h"
#include "serve/http_service.h"

namespace lambert {

// {"status":"ok","version":...,"model_type":...,"precision":...,"isa":...,"max_seq_len":N}
std::string health_json(const Answerer& answerer);

// {"model_id":...,"model_type":...,"precision":...,"isa":...,"version":...,"threads":N,
//  "parameters":N,"max_input_length":N,"max_body_bytes":N,"max_windows":N}
std::string info_json(const Answerer& answerer, const ServiceSettings& settings);

// {"question":Q,"context":C} -> {"count":N,"tokens":[{"id":N,"token":T,"text":"question","start":N,
// "end":N,"word":N},...]}: of the pair with special tokens, before it is cut into windows. `text`
// is "question", "context" or "special", where the last three are null; offsets are code points.
// Throws RequestError.
std::string tokens_json(const boost::json::value& request, const Answerer& answerer);

}  // namespace lambert
