// Answers with receipts (wire/receipt.h).
#pragma once

#include <string>

#include "lambert/lambert.h"
#include "wire/receipt.h"

namespace lambert {

// The receipt of an answer by this program.
Receipt receipt_of(const Answerer& answerer, const Question& question, const Result& result);

// Asks; one line of JSON with answers and receipt.
std::string ask_for_receipt(const Answerer& answerer, const Question& question);

}  // namespace lambert
