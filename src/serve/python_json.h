// JSON as the json module of Python 3.8 reads and writes it, with the texts of its exceptions, for
// replies that are equal to those of a Python program. Measured against CPython 3.8.18.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lambert {

// An exception of Python: its type and str() of its only argument.
class PythonError : public std::exception {
 public:
  PythonError(std::string_view type, std::string message)
      : type_(type), message_(std::move(message)) {}
  std::string repr() const;  // KeyError('body')
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string_view type_;  // of static duration
  std::string message_;    // ASCII
};

// What json.loads returns, as deep as it is needed: a string's text, and the members of an object,
// but not what these or an array contain in their turn.
struct PythonValue {
  enum class Type { kNone, kBool, kInt, kFloat, kStr, kList, kDict };
  Type type = Type::kNone;
  std::u32string text = {};  // kStr; may have surrogates
  std::vector<std::pair<std::u32string, PythonValue>> members =
      {};  // kDict; the last of a name counts

  std::string_view type_name() const;  // "NoneType", "bool", ...
  // value['name']. Throws KeyError or, for what is no dict, TypeError.
  const PythonValue& at(std::string_view name) const;
};

// json.loads of a str. Throws JSONDecodeError, or RecursionError below some 990 levels, about what
// Python's limit of 1000 frames leaves to a handler in Lambda.
PythonValue python_json_loads(std::u32string_view text);

// json.dumps of a str, which is valid UTF-8: ASCII, with quotation marks.
std::string python_json_dumps(std::string_view text);

}  // namespace lambert
