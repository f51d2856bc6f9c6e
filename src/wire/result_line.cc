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

// Length of the UTF-8 sequence at the start of `text`, 0 where there is no valid one.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return 1;
  const std::size_t length = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies above U+10FFFF.
  if ((byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xED && byte(1) > 0x9F) ||
      (byte(0) == 0xF0 && byte(1) < 0x90) || (byte(0) == 0xF4 && byte(1) > 0x8F)) {
    return 0;
  }
  return length;
}

std::string valid_utf8(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    valid += length > 0 ? text.substr(0, length) : std::string_view("\xEF\xBF\xBD");
    text.remove_prefix(length > 0 ? length : 1);
  }
  return valid;
}

}  // namespace

std::string result_line(std::string_view id, const Result& result) {
  std::string line = open_line(id);
  line += "\"answers\":[";
  for (const Answer& answer : result.answers) {
    if (&answer != result.answers.data()) line += ',';
    line += "{\"answer\":";
    append_json_string(line, answer.answer);
    line += ",\"score\":";
    append_json_number(line, answer.score);
    line += ",\"start\":" + std::to_string(answer.start);
    line += ",\"end\":" + std::to_string(answer.end) + '}';
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
