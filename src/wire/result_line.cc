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

std::string answers_json(const std::vector<Answer>& answers) {
  std::string text = "[";
  for (const Answer& answer : answers) {
    if (&answer != answers.data()) text += ',';
    text += '{';
    append_answer_fields(text, answer);
    text += '}';
  }
  return text + "]";
}

std::string result_line(std::string_view id, const Result& result) {
  return open_line(id) + "\"answers\":" + answers_json(result.answers) + "}";
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
