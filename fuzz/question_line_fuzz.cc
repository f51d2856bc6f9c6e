// A line of a batch -> Question, and back to JSON: what was accepted must survive the way back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.h"
#include "wire/question_line.h"
#include "wire/result_line.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const lambert::QuestionLine read = lambert::read_question_line(line, 7, {}, std::size_t{1} << 20);
  std::string written;
  if (const auto* question = std::get_if<lambert::Question>(&read.question)) {
    lambert::Result result;
    result.answers.push_back({question->context, 0.5, 0, 1});
    written = lambert::result_line(read.id, result);
  } else {
    written = lambert::error_line(read.id, std::get<lambert::Error>(read.question));
  }
  lambert::JsonLimits limits;
  limits.refuse_overflow = false;  // an id such as 1e600 comes back as it was written
  const auto value = lambert::parse_json(written, "written", lambert::ErrorCode::kInternal,
                                         limits);  // throws: a finding
  if (value.as_object().count("id") != 1) std::abort();
  return 0;
}
