#include "serve/python_json.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/utf8.h"

namespace lambert {

namespace {

using Type = PythonValue::Type;

constexpr int kMaxNesting = 990;

class Parser {
 public:
  explicit Parser(std::u32string_view text) : text_(text) {}

  PythonValue parse() {
    constexpr char32_t kByteOrderMark = 0xFEFF;
    if (at(0) == kByteOrderMark) fail("Unexpected UTF-8 BOM (decode using utf-8-sig)", 0);
    skip_space();
    PythonValue value;
    scan(&value);
    skip_space();
    if (i_ != text_.size()) fail("Extra data", i_);
    return value;
  }

 private:
  // The character, or one that JSON does not have behind the end.
  char32_t at(std::size_t i) const { return i < text_.size() ? text_[i] : kEnd; }
  static constexpr char32_t kEnd = 0xFFFFFFFF;

  [[noreturn]] void fail(std::string_view message, std::size_t where) const {
    const auto before = text_.substr(0, where);
    const auto line = std::count(before.begin(), before.end(), U'\n') + 1;
    const std::size_t newline = before.rfind(U'\n');
    const std::size_t column = newline == std::u32string_view::npos ? where + 1 : where - newline;
    throw PythonError("JSONDecodeError", std::string(message) + ": line " + std::to_string(line) +
                                             " column " + std::to_string(column) + " (char " +
                                             std::to_string(where) + ')');
  }

  void skip_space() {
    while (at(i_) == ' ' || at(i_) == '\t' || at(i_) == '\n' || at(i_) == '\r') ++i_;
  }

  bool skip_word(std::string_view word) {
    for (std::size_t k = 0; k < word.size(); ++k) {
      if (at(i_ + k) != static_cast<unsigned char>(word[k])) return false;
    }
    i_ += word.size();
    return true;
  }

  // Reads the value at i_; into `value` unless that is null.
  void scan(PythonValue* value) {
    const auto set = [&](Type type) {
      if (value != nullptr) value->type = type;
    };
    switch (at(i_)) {
      case '"': {
        set(Type::kStr);
        ++i_;
        std::u32string text = scan_string();
        if (value != nullptr) value->text = std::move(text);
        return;
      }
      case '{': set(Type::kDict); return scan_nested("object", [&] { scan_object(value); });
      case '[': set(Type::kList); return scan_nested("array", [&] { scan_array(); });
      case 'n':
        if (skip_word("null")) return set(Type::kNone);
        break;
      case 't':
        if (skip_word("true")) return set(Type::kBool);
        break;
      case 'f':
        if (skip_word("false")) return set(Type::kBool);
        break;
      case 'N':
        if (skip_word("NaN")) return set(Type::kFloat);
        break;
      case 'I':
        if (skip_word("Infinity")) return set(Type::kFloat);
        break;
      case '-':
        if (skip_word("-Infinity")) return set(Type::kFloat);
        break;
      default: break;
    }
    set(scan_number());
  }

  template <typename Scan>
  void scan_nested(const char* kind, const Scan& scan_it) {
    if (++depth_ > kMaxNesting) {
      throw PythonError("RecursionError",
                        "maximum recursion depth exceeded while decoding a JSON " +
                            std::string(kind) + " from a unicode string");
    }
    scan_it();
    --depth_;
  }

  void scan_object(PythonValue* value) {
    ++i_;
    skip_space();
    if (at(i_) == '}') {
      ++i_;
      return;
    }
    while (true) {
      if (at(i_) != '"') fail("Expecting property name enclosed in double quotes", i_);
      ++i_;
      std::u32string key = scan_string();
      skip_space();
      if (at(i_) != ':') fail("Expecting ':' delimiter", i_);
      ++i_;
      skip_space();
      if (value != nullptr && depth_ == 1) {
        scan(&value->members.emplace_back(std::move(key), PythonValue{}).second);
      } else {
        scan(nullptr);
      }
      skip_space();
      if (at(i_) == '}') break;
      if (at(i_) != ',') fail("Expecting ',' delimiter", i_);
      ++i_;
      skip_space();
    }
    ++i_;
  }

  void scan_array() {
    ++i_;
    skip_space();
    if (at(i_) == ']') {
      ++i_;
      return;
    }
    while (true) {
      scan(nullptr);
      skip_space();
      if (at(i_) == ']') break;
      if (at(i_) != ',') fail("Expecting ',' delimiter", i_);
      ++i_;
      skip_space();
    }
    ++i_;
  }

  // The text up to the closing quote; i_ stands behind the opening one.
  std::u32string scan_string() {
    const std::size_t begin = i_ - 1;
    std::u32string out;
    while (true) {
      const char32_t c = at(i_);
      if (c == kEnd) fail("Unterminated string starting at", begin);
      if (c <= 0x1F) fail("Invalid control character at", i_);
      ++i_;
      if (c == '"') return out;
      out += c == '\\' ? scan_escape(begin) : c;
    }
  }

  // Behind the backslash.
  char32_t scan_escape(std::size_t begin) {
    const std::size_t where = i_;
    const char32_t c = at(i_++);
    switch (c) {
      case '"':
      case '\\':
      case '/': return c;
      case 'b': return '\b';
      case 'f': return '\f';
      case 'n': return '\n';
      case 'r': return '\r';
      case 't': return '\t';
      case 'u': break;
      case kEnd: fail("Unterminated string starting at", begin);
      default: fail("Invalid \\escape", where - 1);
    }
    // CPython wants a character behind the digits, were it only the closing quote.
    if (i_ + 4 >= text_.size()) fail("Invalid \\uXXXX escape", where);
    const char32_t unit = scan_hex();
    const bool pair = unit >= 0xD800 && unit < 0xDC00 && i_ + 6 < text_.size() && at(i_) == '\\' &&
                      at(i_ + 1) == 'u';
    if (!pair) return unit;
    const std::size_t second = i_;
    i_ += 2;
    const char32_t low = scan_hex();
    if (low >= 0xDC00 && low < 0xE000) return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    i_ = second;
    return unit;
  }

  char32_t scan_hex() {
    const std::size_t begin = i_;
    char32_t unit = 0;
    for (; i_ < begin + 4; ++i_) {
      const char32_t c = at(i_);
      char32_t digit = 0;
      if (c >= '0' && c <= '9') {
        digit = c - '0';
      } else if (c >= 'a' && c <= 'f') {
        digit = c - 'a' + 10;
      } else if (c >= 'A' && c <= 'F') {
        digit = c - 'A' + 10;
      } else {
        fail("Invalid \\uXXXX escape", begin - 1);
      }
      unit = unit << 4 | digit;
    }
    return unit;
  }

  bool is_digit(std::size_t i) const { return at(i) >= '0' && at(i) <= '9'; }

  Type scan_number() {
    const std::size_t begin = i_;
    std::size_t i = begin + (at(begin) == '-' ? 1 : 0);
    if (!is_digit(i)) fail("Expecting value", begin);
    if (at(i) == '0') {
      ++i;
    } else {
      while (is_digit(i)) ++i;
    }
    Type type = Type::kInt;
    if (at(i) == '.' && is_digit(i + 1)) {
      type = Type::kFloat;
      for (++i; is_digit(i);) ++i;
    }
    if (at(i) == 'e' || at(i) == 'E') {
      std::size_t k = i + 1;
      if (at(k) == '+' || at(k) == '-') ++k;
      if (is_digit(k)) {
        type = Type::kFloat;
        for (i = k; is_digit(i);) ++i;
      }
    }
    i_ = i;
    return type;
  }

  std::u32string_view text_;
  std::size_t i_ = 0;
  int depth_ = 0;
};

}  // namespace

std::string PythonError::repr() const {
  const bool has_single = message_.find('\'') != std::string::npos;
  const bool has_double = message_.find('"') != std::string::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  std::string out = std::string(type_) + '(' + quote;
  for (const char c : message_) {
    if (c == quote || c == '\\') out += '\\';
    out += c;
  }
  return out + quote + ')';
}

std::string_view PythonValue::type_name() const {
  switch (type) {
    case Type::kNone: return "NoneType";
    case Type::kBool: return "bool";
    case Type::kInt: return "int";
    case Type::kFloat: return "float";
    case Type::kStr: return "str";
    case Type::kList: return "list";
    case Type::kDict: return "dict";
  }
  return "";
}

const PythonValue& PythonValue::at(std::string_view name) const {
  if (type == Type::kStr) throw PythonError("TypeError", "string indices must be integers");
  if (type == Type::kList) {
    throw PythonError("TypeError", "list indices must be integers or slices, not str");
  }
  if (type != Type::kDict) {
    throw PythonError("TypeError",
                      '\'' + std::string(type_name()) + "' object is not subscriptable");
  }
  const std::u32string key = decode_utf8(name);
  for (auto member = members.rbegin(); member != members.rend(); ++member) {
    if (member->first == key) return member->second;
  }
  throw PythonError("KeyError", std::string(name));
}

PythonValue python_json_loads(std::u32string_view text) {
  return Parser(text).parse();
}

std::string python_json_dumps(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  const auto append_unit = [&](std::uint32_t unit) {
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += kHex[unit >> shift & 15];
  };
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = decode_utf8(text, i);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c >= ' ' && c < 0x7F) {
      out += static_cast<char>(c);
    } else if (const std::size_t k = std::u32string_view(U"\n\r\t\f\b").find(c);
               k != std::u32string_view::npos) {
      out += '\\';
      out += "nrtfb"[k];
    } else if (c < 0x10000) {
      append_unit(c);
    } else {
      append_unit(0xD800 + ((c - 0x10000) >> 10));
      append_unit(0xDC00 + ((c - 0x10000) & 0x3FF));
    }
  }
  return out + '"';
}

}  // namespace lambert
