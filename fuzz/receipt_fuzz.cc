// A receipt from outside: what was read must come back from what is written of it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wire/receipt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  lambert::ReceiptLine read;
  try {
    read = lambert::read_receipt_line(text, "input");
  } catch (const lambert::Error&) {
    return 0;
  }
  lambert::Result result;
  result.answers = read.answers;
  const lambert::Question question{.question = read.question.value_or(""),
                                   .context = read.context.value_or(""),
                                   .parameters = read.parameters};
  const lambert::ReceiptLine again = lambert::read_receipt_line(
      lambert::receipt_line(result, read.receipt, question), "written");  // throws: a finding
  const bool same = again.receipt == read.receipt && again.question == question.question &&
                    again.context == question.context &&
                    lambert::same_answers(again.answers, read.answers);
  if (!same) std::abort();
  return 0;
}
