// Parsing untrusted JSON (Boost.JSON), with messages that name the source.
#pragma once

#include <boost/json.hpp>
#include <string_view>

#include "base/error.h"

namespace lambert {

struct JsonLimits {
  std::size_t max_bytes = std::size_t{64} << 20;
  std::size_t max_depth = 32;
  std::size_t max_values = static_cast<std::size_t>(-1);  // objects, arrays and scalars, no keys
  bool refuse_duplicate_keys = false;                     // else the last one counts
  bool refuse_overflow = true;                            // of numbers; else they are infinite
};

// Throws `code` with "<source>: ... at byte N" for text that is not one JSON value in valid UTF-8
// (lone surrogates, a BOM, numbers that overflow a double and trailing text are refused too).
// Parsing does not recurse: max_depth may be large, but freeing a value takes a stack frame for
// each level. The value is for reading, by one thread: all of its parts share memory that only
// grows and that is freed with the last of them, copies and parts that were moved out included.
boost::json::value parse_json(std::string_view text, std::string_view source, ErrorCode code,
                              const JsonLimits& limits = {});

}  // namespace lambert
