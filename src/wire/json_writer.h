// Writing JSON text. Boost.JSON's own serializer is not used because it prints 1.0 as 1E0.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace lambert {

// `text` (valid UTF-8) with its quotation marks; control characters, '"' and '\' escaped.
void append_json_string(std::string& out, std::string_view text);

// `text` with each byte that is no part of valid UTF-8 replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

// The shortest decimal number that reads back as `number`: 1, 0.1, but also 1e+05; null for what
// JSON has no number for (infinities, NaN).
void append_json_number(std::string& out, double number);
void append_json_number(std::string& out, float number);

// A string, number, boolean or null; what holds other values is written as null.
std::string scalar_json(const boost::json::value& value);

}  // namespace lambert
