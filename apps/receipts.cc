#include "receipts.h"

#include "net/digest.h"
#include "wire/result_line.h"

namespace lambert {

namespace {

std::string digest(std::string_view text) {
  return hex(bytes_of(sha256(text)));
}

}  // namespace

Receipt receipt_of(const Answerer& answerer, const Question& question, const Result& result) {
  return {.engine = "lambert " LAMBERT_VERSION,
          .precision = answerer.info().precision,
          .model = answerer.identity(),
          .input = digest(input_text(question.question, question.context)),
          .parameters = digest(parameters_text(question.parameters)),
          .answers = digest(answers_json(result.answers))};
}

std::string ask_for_receipt(const Answerer& answerer, const Question& question) {
  const Result result = answerer.ask(question);
  return receipt_line(result, receipt_of(answerer, question, result), question);
}

}  // namespace lambert
