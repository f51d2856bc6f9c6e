#include "wire/question_line.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "wire/json_writer.h"

namespace lambert {

namespace json = boost::json;

namespace {

// Reads one field at a time, with messages that name it.
class Fields {
 public:
  Fields(const json::object& object, std::string_view source) : object_(object), source_(source) {}

  // Null where the field is absent or null.
  const json::value* find(std::string_view name) const {
    const json::value* value = object_.if_contains(name);
    return value != nullptr && !value->is_null() ? value : nullptr;
  }

  [[noreturn]] void refuse(ErrorCode code, std::string_view name, std::string_view expected,
                           const json::value& found) const {
    const std::string text =
        found.is_structured() ? std::string(json_kind(found)) : quote(scalar_json(found), 40);
    throw FieldError(code, name,
                     about(name) + " must be " + std::string(expected) + ", found " + text);
  }

  std::optional<std::int64_t> integer(std::string_view name) const {
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    boost::system::error_code error;
    const auto number = value->to_number<std::int64_t>(error);  // 3.0 is one, 3.5 is none
    if (!error) return number;
    refuse(ErrorCode::kInvalidArgument, name, "an integer", *value);
  }

  std::optional<double> number(std::string_view name) const {
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number()) refuse(ErrorCode::kInvalidArgument, name, "a number", *value);
    const auto number = value->to_number<double>();
    if (!std::isfinite(number)) {
      refuse(ErrorCode::kInvalidArgument, name, "a number that a double can hold", *value);
    }
    return number;
  }

  std::optional<bool> boolean(std::string_view name) const {
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (const auto* flag = value->if_bool()) return *flag;
    refuse(ErrorCode::kInvalidArgument, name, "true or false", *value);
  }

  std::optional<std::string_view> string(std::string_view name, ErrorCode code) const {
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (const auto* text = value->if_string()) return std::string_view(text->data(), text->size());
    refuse(code, name, "a string", *value);
  }

  std::string text(std::string_view name) const {
    const auto value = string(name, ErrorCode::kInvalidInput);
    if (!value) throw FieldError(ErrorCode::kInvalidInput, name, about(name) + " is missing");
    return std::string(*value);
  }

 private:
  std::string about(std::string_view name) const {
    return std::string(source_) + ": the field " + quote(name);
  }

  const json::object& object_;
  std::string_view source_;
};

template <typename Field, typename Value>
void override_with(Field& field, const std::optional<Value>& value) {
  if (value) field = *value;
}

constexpr std::string_view kSpace = " \t\r\n";

// Deep enough for any record that questions come along with.
constexpr std::size_t kMaxDepth = 512;

// Where the string whose text begins at `i` has its closing quote, or behind the end of `line`.
std::size_t string_end(std::string_view line, std::size_t i) {
  while (i < line.size() && line[i] != '"') i += line[i] == '\\' ? 2 : 1;
  return std::min(i, line.size());
}

// The string or number that the last "id" of the JSON object in `line` has, as it stands there:
// Boost.JSON keeps neither more than 64 bits of an integer nor every bit of a fraction. Empty where
// there is none. `line` may be damaged JSON; what is returned may be too.
std::string_view id_text(std::string_view line) {
  std::string_view found;
  int depth = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '{' || line[i] == '[') ++depth;
    if (line[i] == '}' || line[i] == ']') --depth;
    if (line[i] != '"') continue;
    const std::size_t begin = ++i;
    i = string_end(line, i);
    if (depth != 1 || i >= line.size() || line.substr(begin, i - begin) != "id") continue;
    const std::size_t colon = line.find_first_not_of(kSpace, i + 1);
    if (colon == std::string_view::npos || line[colon] != ':') continue;  // a value, not a key
    const std::size_t value = line.find_first_not_of(kSpace, colon + 1);
    if (value == std::string_view::npos) break;
    const std::size_t end = line[value] == '"' ? string_end(line, value + 1) + 1
                                               : line.find_first_not_of("+-.0123456789eE", value);
    found = end <= line.size() ? line.substr(value, end - value) : std::string_view();
    i = colon;
  }
  return found;
}

// The JSON text of the object's id, empty where it has none. `line` is the object's text.
std::string read_id(const json::object& object, std::string_view line, std::string_view source) {
  const Fields fields(object, source);
  const json::value* id = fields.find("id");
  if (id == nullptr) return {};
  if (!id->is_string() && !id->is_number()) {
    fields.refuse(ErrorCode::kInvalidInput, "id", "a string or a number", *id);
  }
  if (id->is_double()) {
    if (const std::string_view digits = id_text(line); !digits.empty()) {
      return std::string(digits);
    }
  }
  return scalar_json(*id);
}

// The JSON text of the id of a line that is no valid JSON, empty where none can be read.
std::string damaged_id(std::string_view line) {
  const std::size_t first = line.find_first_not_of(kSpace);
  if (first == std::string_view::npos || line[first] != '{') return {};
  const std::string_view text = id_text(line);
  if (text.empty()) return {};
  try {
    JsonLimits limits;
    limits.refuse_overflow = false;
    const json::value id = parse_json(text, "id", ErrorCode::kInvalidInput, limits);
    return id.is_double() ? std::string(text) : scalar_json(id);
  } catch (const Error&) {  // that the line is damaged is reported anyway
    return {};
  }
}

}  // namespace

std::string_view json_kind(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: return "null";
    case json::kind::bool_: return "a boolean";
    case json::kind::string: return "a string";
    case json::kind::array: return "an array";
    case json::kind::object: return "an object";
    default: return "a number";
  }
}

std::string_view mode_name(Mode mode) {
  switch (mode) {
    case Mode::kHf: return "hf";
    case Mode::kSquad: return "squad";
    case Mode::kCalibrated: return "calibrated";
  }
  return "";
}

std::string_view offset_type_name(OffsetType type) {
  switch (type) {
    case OffsetType::kCodePoint: return "codepoint";
    case OffsetType::kUtf8: return "utf8";
    case OffsetType::kUtf16: return "utf16";
  }
  return "";
}

Mode parse_mode(std::string_view name, std::string_view source) {
  for (const Mode mode : {Mode::kHf, Mode::kSquad, Mode::kCalibrated}) {
    if (name == mode_name(mode)) return mode;
  }
  throw FieldError(
      ErrorCode::kInvalidArgument, "mode",
      std::string(source) + ": mode must be hf, squad or calibrated, found " + quote(name));
}

OffsetType parse_offset_type(std::string_view name, std::string_view source) {
  for (const OffsetType type : {OffsetType::kCodePoint, OffsetType::kUtf8, OffsetType::kUtf16}) {
    if (name == offset_type_name(type)) return type;
  }
  throw FieldError(
      ErrorCode::kInvalidArgument, "offset_type",
      std::string(source) + ": offset_type must be codepoint, utf8 or utf16, found " + quote(name));
}

void read_parameters(const json::object& object, std::string_view source, Parameters& parameters) {
  const Fields fields(object, source);
  if (const auto mode = fields.string("mode", ErrorCode::kInvalidArgument)) {
    parameters.mode = parse_mode(*mode, source);
  }
  if (const auto type = fields.string("offset_type", ErrorCode::kInvalidArgument)) {
    parameters.offset_type = parse_offset_type(*type, source);
  }
  override_with(parameters.top_k, fields.integer("topk"));
  override_with(parameters.top_k, fields.integer("top_k"));
  override_with(parameters.max_seq_len, fields.integer("max_seq_len"));
  override_with(parameters.doc_stride, fields.integer("doc_stride"));
  override_with(parameters.max_answer_len, fields.integer("max_answer_len"));
  override_with(parameters.max_question_len, fields.integer("max_question_len"));
  override_with(parameters.n_best_size, fields.integer("n_best_size"));
  override_with(parameters.handle_impossible_answer, fields.boolean("handle_impossible_answer"));
  override_with(parameters.align_to_words, fields.boolean("align_to_words"));
  if (const auto value = fields.boolean("no_align_to_words")) parameters.align_to_words = !*value;
  override_with(parameters.null_score_diff_threshold, fields.number("null_score_diff_threshold"));
  override_with(parameters.score_threshold, fields.number("score_threshold"));
}

Question read_question(const json::object& object, std::string_view source,
                       const Parameters& defaults) {
  const Fields fields(object, source);
  Question question;
  question.question = fields.text("question");
  question.context = fields.text("context");
  question.parameters = defaults;
  read_parameters(object, source, question.parameters);
  return question;
}

QuestionLine read_question_line(std::string_view line, std::size_t number,
                                const Parameters& defaults, std::size_t max_bytes) {
  const std::string source = "line " + std::to_string(number);
  QuestionLine read{std::to_string(number), Question{}};
  bool valid = false;
  try {
    JsonLimits limits;
    limits.max_bytes = max_bytes;
    limits.max_depth = kMaxDepth;
    limits.refuse_overflow = false;  // the fields that are read are checked
    const json::value value = parse_json(line, source, ErrorCode::kInvalidInput, limits);
    valid = true;
    const auto* object = value.if_object();
    if (object == nullptr) {
      fail(ErrorCode::kInvalidInput, source, ": must be a JSON object, found ", json_kind(value));
    }
    if (std::string id = read_id(*object, line, source); !id.empty()) read.id = std::move(id);
    read.question = read_question(*object, source, defaults);
  } catch (const Error& error) {
    read.question = error;
    if (std::string id = valid ? "" : damaged_id(line); !id.empty()) read.id = std::move(id);
  }
  return read;
}

}  // namespace lambert
