#include "wire/result_line.h"

#include "wire/json_writer.h"

namespace lambert {

namespace {

std::string open_line(std::string_view id) {
  std::string line = "{";
  if (!id.empty()) {
    line += "\"id\":";
    line += id;
    line += ',';
  }
  return line;
}

}  // namespace

void append_answer_fields(std::string& out, const Answer& answer) {
  out += "\"answer\":";
  append_json_string(out, answer.answer);
  out += ",\"score\":";
  append_json_number(out, answer.score);
  out += ",\"start\":" + std::to_string(answer.start);
  out += ",\"end\":" + std::to_string(answer.end);
}

std::string result_line(std::string_view id, const Result& result) {
  std::string line = open_line(id);
  line += "\"answers\":[";
  for (const Answer& answer : result.answers) {
    if (&answer != result.answers.data()) line += ',';
    line += '{';
    append_answer_fields(line, answer);
    line += '}';
  }
  return line + "]}";
}

std::string error_line(std::string_view id, const Error& error) {
  std::string line = open_line(id);
  line += "\"error\":{\"code\":";
  append_json_string(line, error_code_name(error.code()));
  line += ",\"message\":";
  append_json_string(line, valid_utf8(error.what()));
  return line + "}}";
}

}  // namespace lambert
