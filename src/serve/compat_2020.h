// LAMBERT_COMPAT=2020: the replies of the Python service of 2020, byte for byte: its handler over
// transformers 2.10, torch and Python 3.8.
//
// Path, method and headers are never looked at. The answer is the tokens from the highest start
// logit to the highest end logit of one sequence [CLS] question [SEP] context [SEP], without any
// mask: it may lie in the question, and is "" when the end comes first. Tokens are joined by spaces
// as they are ("83 . 1"); special ones, and words that the vocabulary lacks, are left out. Whatever
// goes wrong is status 500 with repr() of the exception.
//
// Two things differ. A context of null, which was read as no context at all, and arrays of strings
// or integers, which were taken for ready-made tokens, get the ValueError that other values that
// are no text got. A deadline, which the service did not know, is a TimeoutError.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "lambert/lambert.h"
#include "serve/ask.h"

namespace lambert {

struct Reply2020 {
  std::string envelope;  // json.dumps of {"statusCode","headers","body"}
  int status = 200;
  AskStats stats;
};

// Throws Error (kInvalidInput) only for an event that is no JSON, which never reached the handler.
Reply2020 answer_as_2020(std::string_view event, const Answerer& answerer,
                         std::chrono::steady_clock::time_point deadline);

// The reply where answering ends with `error`.
Reply2020 refuse_as_2020(const Error& error);

}  // namespace lambert
