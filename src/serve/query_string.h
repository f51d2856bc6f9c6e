// The query of a URL -> the JSON of a request: GET /ask?question=Who%3F&context=...&top_k=3
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace lambert {

// %XX -> its byte, '+' -> a space; a '%' without two hexadecimal digits stands for itself.
std::string decode_component(std::string_view text);

// Adds a field. All but `question` and `context` become numbers and booleans where they read as
// such; what is given twice counts as given last.
void add_query_field(boost::json::object& query, std::string_view name, std::string_view value);

// The fields of "a=1&b=2", decoded.
boost::json::object parse_query(std::string_view query);

}  // namespace lambert
