#include "serve/ask.h"

#include <vector>

#include "wire/result_line.h"

namespace lambert {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxDepth = 16;  // a request has six levels
// Of two bytes each ("1,") they would take 25 times the body.
constexpr std::size_t kMaxValues = std::size_t{64} << 10;

void append_reply(std::string& out, const std::vector<FoundAnswer>& found, const Query& query) {
  if (query.parameters.top_k == 1) {
    if (found.empty()) {
      out += '{';
      append_answer_fields(out, Answer{});
      out += '}';
    } else {
      append_found(out, found[0], query);
    }
    return;
  }
  out += query.bare_answers ? "[" : "{\"answers\":[";
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i > 0) out += ',';
    append_found(out, found[i], query);
  }
  out += query.bare_answers ? "]" : "]}";
}

void append(std::string& out, PendingAnswers& pending, const ReplyShape& shape) {
  if (shape.kind == ReplyShape::Kind::kQuery) {
    append_reply(out, pending.wait(shape.query).answers, pending.query(shape.query));
    return;
  }
  const bool predictions = shape.kind == ReplyShape::Kind::kPredictions;
  out += predictions ? "{\"predictions\":[" : "[";
  for (const ReplyShape& item : shape.items) {
    if (&item != shape.items.data()) out += ',';
    append(out, pending, item);
  }
  out += predictions ? "]}" : "]";
}

}  // namespace

PendingAnswers submit(const json::value& value, const Answerer& answerer,
                      const AskSettings& settings, const AskLimits& limits) {
  return {read_request(value, settings), value, answerer, settings, limits};
}

std::string wait_for_reply(PendingAnswers& pending) {
  std::string out;
  append(out, pending, pending.shape());
  return out;
}

json::value parse_body(std::string_view body, std::size_t max_bytes) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (body.starts_with(kByteOrderMark)) body.remove_prefix(kByteOrderMark.size());
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    throw RequestError(ErrorCode::kInvalidInput, 400, "",
                       "body: is empty, expected JSON such as {\"question\":...,\"context\":...}");
  }
  JsonLimits limits;
  limits.max_bytes = max_bytes;
  limits.max_depth = kMaxDepth;
  limits.max_values = kMaxValues;
  try {
    return parse_json(body, "body", ErrorCode::kInvalidInput, limits);
  } catch (const Error& error) {
    throw RequestError(error.code(), error.code() == ErrorCode::kLimitExceeded ? 413 : 400, "",
                       error.what());
  }
}

}  // namespace lambert
