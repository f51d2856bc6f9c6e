// Receipts: what it takes to have an answer again and to see that it is the same. The format stands
// in docs/cli.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lambert/lambert.h"

namespace lambert {

// Digests are SHA-256 in lower-case hexadecimal.
struct Receipt {
  std::string engine;      // "lambert 0.1.0"
  std::string precision;   // fp32, int8
  std::string model;       // Answerer::identity
  std::string input;       // of input_text
  std::string parameters;  // of parameters_text
  std::string answers;     // of answers_json
  bool operator==(const Receipt&) const = default;
};

// What the digests are of. Numbers of parameters_text have 12 digits at most.
std::string input_text(std::string_view question, std::string_view context);
std::string parameters_text(const Parameters& parameters);

// {"answers":[...],"receipt":{...}} on one line, without a line end.
std::string receipt_line(const Result& result, const Receipt& receipt, const Question& question);

struct ReceiptLine {
  Receipt receipt;
  std::vector<Answer> answers;
  std::optional<std::string> question, context;  // may have been taken out
  Parameters parameters;
};

// Throws kInvalidInput naming `source` and the field.
ReceiptLine read_receipt_line(std::string_view text, std::string_view source);

// Whether the answers that stand in a receipt are these: scores but for 1e-12 of them, as reading a
// number may lose its last bit; the digest is of all of them.
bool same_answers(const std::vector<Answer>& a, const std::vector<Answer>& b);

}  // namespace lambert
