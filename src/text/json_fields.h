// Typed members of JSON objects, with errors (kInvalidModel) that name file and field.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

#include "text/added_tokens.h"

namespace lambert {

// An object of a file, with the path to it for messages: "tokenizer.json: model".
struct JsonFields {
  const boost::json::object& object;
  std::string path;

  // Absent members and null ones give an empty optional.
  std::optional<std::string_view> find_string(std::string_view name) const;
  std::optional<bool> find_bool(std::string_view name) const;

  std::string_view string(std::string_view name) const;
  bool boolean(std::string_view name) const;
  const boost::json::array& array(std::string_view name) const;
  JsonFields fields(std::string_view name) const;
  std::int32_t id(std::string_view name) const;

  // Null for an absent member and for one that is null.
  const boost::json::value* find(std::string_view name) const;
  // A name that is not a plain word is quoted: it may come from the file.
  std::string path_of(std::string_view name) const;
};

// A whole file, parsed. At most 4,000,000 values: a vocabulary of 250,000 tokens with a million
// merges has 3,250,000; of {"x": [1, 1, ...]} 64 MB took 1.6 GB.
boost::json::value parse_tokenizer_file(std::string_view text, std::string_view name);

const boost::json::object& json_object(const boost::json::value& value, std::string_view path);
// A whole number from 0 to 2147483647.
std::optional<std::int32_t> find_token_id(const boost::json::value& value);
std::int32_t json_token_id(const boost::json::value& value, std::string_view path);

// The content of an added token. At most 1,024 bytes, as the search for it starts at each place of
// a text anew: one of 50,000 took 5.7 s for a text of as many.
std::string json_token_content(std::string_view content, std::string_view path);

// {"content": ..., "lstrip": ..., ...}. A missing "normalized" is the opposite of "special", the
// other flags are false when missing.
AddedToken json_added_token(const JsonFields& fields);

}  // namespace lambert
