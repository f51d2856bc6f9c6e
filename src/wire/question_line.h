// JSON -> Question: the one place where a question of a line, request or event is read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "base/json.h"
#include "lambert/lambert.h"

namespace lambert {

// A field that cannot be used; what() names it too.
class FieldError : public Error {
 public:
  FieldError(ErrorCode code, std::string_view field, const std::string& message)
      : Error(code, message), field_(field) {}
  const std::string& field() const noexcept { return field_; }

 private:
  std::string field_;
};

// A question as read, or why it could not be.
struct QuestionLine {
  std::string id;  // JSON text of the id: "7", "\"q1\""
  std::variant<Question, Error> question;
};

// The fields of `object` that are named as the members of Parameters are (and `topk` for top_k, and
// `no_align_to_words`, which goes before `align_to_words`) override those of `parameters`; null
// counts as absent, fields of other names are ignored. Ranges are the engine's to check. Throws
// FieldError (kInvalidArgument).
void read_parameters(const boost::json::object& object, std::string_view source,
                     Parameters& parameters);

// What the message of an error calls a value that is not of the expected kind: "an array", "null".
std::string_view json_kind(const boost::json::value& value);

// Throws FieldError (kInvalidInput) for a question or context that is missing or no string,
// otherwise as read_parameters.
Question read_question(const boost::json::object& object, std::string_view source,
                       const Parameters& defaults);

// {"id": ..., "question": ..., "context": ..., parameters ...}. Never throws for what the text
// holds: damage is reported inside, with the id where that could be read. Without an id, line
// number `number` is the id. `max_bytes` limits the text.
QuestionLine read_question_line(std::string_view line, std::size_t number,
                                const Parameters& defaults, std::size_t max_bytes);

// "hf", "squad", "calibrated"; "codepoint", "utf8", "utf16".
std::string_view mode_name(Mode mode);
std::string_view offset_type_name(OffsetType type);

// From these names. Throws FieldError (kInvalidArgument) naming `source` and what is accepted.
Mode parse_mode(std::string_view name, std::string_view source);
OffsetType parse_offset_type(std::string_view name, std::string_view source);

}  // namespace lambert
