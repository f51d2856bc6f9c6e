#include "text/json_fields.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/json.h"

namespace lambert {

namespace json = boost::json;

namespace {

std::string_view kind_name(const json::value* value) {
  if (value == nullptr) return "nothing";
  switch (value->kind()) {
    case json::kind::null: return "null";
    case json::kind::bool_: return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_: return "a number";
    case json::kind::string: return "a string";
    case json::kind::array: return "an array";
    case json::kind::object: return "an object";
  }
  return "nothing";
}

bool is_plain(std::string_view name) {
  constexpr std::size_t kLongest = 64;
  return !name.empty() && name.size() <= kLongest &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  c == '_';
         });
}

[[noreturn]] void fail_kind(std::string_view path, const json::value* value,
                            std::string_view expected) {
  fail(ErrorCode::kInvalidModel, path, ": ", kind_name(value), " found, ", expected, " expected");
}

}  // namespace

json::value parse_tokenizer_file(std::string_view text, std::string_view name) {
  JsonLimits limits;
  limits.max_values = 4'000'000;
  return parse_json(text, name, ErrorCode::kInvalidModel, limits);
}

const json::object& json_object(const json::value& value, std::string_view path) {
  if (!value.is_object()) fail_kind(path, &value, "an object");
  return value.get_object();
}

std::optional<std::int32_t> find_token_id(const json::value& value) {
  const std::int64_t* number = value.if_int64();
  if (number == nullptr || *number < 0 || *number > std::numeric_limits<std::int32_t>::max()) {
    return std::nullopt;
  }
  return static_cast<std::int32_t>(*number);
}

std::int32_t json_token_id(const json::value& value, std::string_view path) {
  const auto id = find_token_id(value);
  if (!id) {
    fail(ErrorCode::kInvalidModel, path, ": ", quote(json::serialize(value)),
         " found, a whole number from 0 to 2147483647 expected");
  }
  return *id;
}

const json::value* JsonFields::find(std::string_view name) const {
  const json::value* value = object.if_contains({name.data(), name.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string JsonFields::path_of(std::string_view name) const {
  return path + (path.find(": ") == std::string::npos ? ": " : ".") +
         (is_plain(name) ? std::string(name) : quote(name));
}

std::optional<std::string_view> JsonFields::find_string(std::string_view name) const {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) fail_kind(path_of(name), value, "a string");
  return std::string_view(value->get_string().data(), value->get_string().size());
}

std::optional<bool> JsonFields::find_bool(std::string_view name) const {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_bool()) fail_kind(path_of(name), value, "true or false");
  return value->get_bool();
}

std::string_view JsonFields::string(std::string_view name) const {
  const auto value = find_string(name);
  if (!value) fail_kind(path_of(name), nullptr, "a string");
  return *value;
}

bool JsonFields::boolean(std::string_view name) const {
  const auto value = find_bool(name);
  if (!value) fail_kind(path_of(name), nullptr, "true or false");
  return *value;
}

const json::array& JsonFields::array(std::string_view name) const {
  const json::value* value = find(name);
  if (value == nullptr || !value->is_array()) fail_kind(path_of(name), value, "an array");
  return value->get_array();
}

JsonFields JsonFields::fields(std::string_view name) const {
  const json::value* value = find(name);
  if (value == nullptr || !value->is_object()) fail_kind(path_of(name), value, "an object");
  return {value->get_object(), path_of(name)};
}

std::int32_t JsonFields::id(std::string_view name) const {
  const json::value* value = find(name);
  if (value == nullptr) fail_kind(path_of(name), nullptr, "a token id");
  return json_token_id(*value, path_of(name));
}

std::string json_token_content(std::string_view content, std::string_view path) {
  if (content.size() > kMaxAddedTokenBytes) {
    fail(ErrorCode::kLimitExceeded, path, ": the added token ", quote(content), " has ",
         content.size(), " bytes, at most ", kMaxAddedTokenBytes, " are accepted");
  }
  return std::string(content);
}

AddedToken json_added_token(const JsonFields& fields) {
  AddedToken token;
  token.content = json_token_content(fields.string("content"), fields.path_of("content"));
  token.single_word = fields.find_bool("single_word").value_or(false);
  token.lstrip = fields.find_bool("lstrip").value_or(false);
  token.rstrip = fields.find_bool("rstrip").value_or(false);
  token.special = fields.find_bool("special").value_or(false);
  token.normalized = fields.find_bool("normalized").value_or(!token.special);
  return token;
}

}  // namespace lambert
