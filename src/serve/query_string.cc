#include "serve/query_string.h"

namespace lambert {

namespace json = boost::json;

namespace {

// 0..15, or -1.
int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

std::string decode_component(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0;
    if (escape) {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

void add_query_field(json::object& query, std::string_view name, std::string_view value) {
  json::value field(value);
  if (name != "question" && name != "context" && value.size() <= 32) {
    json::error_code error;
    const json::value scalar = json::parse(value, error);
    if (!error && (scalar.is_number() || scalar.is_bool())) field = scalar;
  }
  query.insert_or_assign(name, std::move(field));
}

json::object parse_query(std::string_view query) {
  json::object fields;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const std::string value =
        equals == std::string_view::npos ? "" : decode_component(pair.substr(equals + 1));
    add_query_field(fields, decode_component(pair.substr(0, equals)), value);
  }
  return fields;
}

}  // namespace lambert
