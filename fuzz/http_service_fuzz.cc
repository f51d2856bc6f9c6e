// Any bytes as a request to the HTTP service over a tiny model, in each of its dialects: refused
// with problem details that point into the request, or answered with JSON. The first byte says
// which dialect: its low three bits the route, 8 that the body is gzip, 64 that lines are accepted.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "serve/content_coding.h"
#include "serve/http_service.h"
#include "serve/query_string.h"

namespace {

using namespace lambert;
namespace json = boost::json;

void require(bool condition) {
  if (!condition) std::abort();
}

enum Route { kAsk, kAnswer, kRoot, kModel, kInvocations, kInfer, kTokenize, kQuery };
constexpr const char* kPaths[] = {"/ask",         "/v1/answer",         "/",         "/models/x",
                                  "/invocations", "/v2/models/x/infer", "/tokenize", "/ask"};
constexpr std::uint8_t kGzip = 8, kLines = 64;

const Answerer& engine() {
  static const Answerer instance(
      {.model = LAMBERT_SOURCE_DIR "/tests/model/data/tiny/distilbert_gelu", .threads = 1});
  return instance;
}

// Small limits: what is above them is refused, and the rest is answered in a moment.
ServiceSettings settings() {
  ServiceSettings settings;
  settings.max_body_bytes = 2048;
  settings.ask.max_pairs = 8;
  settings.ask.max_pair_bytes = 2048;
  settings.ask.max_windows = 8;
  return settings;
}

json::value parsed(std::string_view text) {
  JsonLimits limits;
  limits.refuse_duplicate_keys = true;
  try {
    return parse_json(text, "reply", ErrorCode::kInternal, limits);
  } catch (const Error&) {
    std::abort();
  }
}

bool is_type(const ServiceReply& reply, std::string_view type) {
  for (const auto& [name, value] : reply.headers) {
    if (name == "Content-Type") return value == type;
  }
  return false;
}

// What is wrong is there, or is a member that its object lacks.
void check_pointer(std::string_view pointer, const json::value& request) {
  require(pointer.starts_with("#/"));
  pointer.remove_prefix(1);
  json::error_code error;
  if (request.find_pointer(pointer, error) != nullptr) return;
  const json::value* around = request.find_pointer(pointer.substr(0, pointer.rfind('/')), error);
  require(around != nullptr && around->is_object());
}

void check_problem(const ServiceReply& reply, const ServiceRequest& request) {
  require(reply.status == 400 || reply.status == 413 || reply.status == 422);
  require(reply.error && is_type(reply, kProblemType) && !reply.more);
  const json::value problem = parsed(reply.body);
  require(problem.at("status") == reply.status);
  require(!problem.at("title").as_string().empty() && !problem.at("detail").as_string().empty());
  const json::value* errors = problem.as_object().if_contains("errors");
  if (errors == nullptr) return;
  require(reply.status != 400);
  const std::string_view pointer = errors->at(0).at("pointer").as_string();
  check_pointer(pointer, request.method == "GET" ? json::value(request.query)
                                                 : parse_body(request.body, request.body.size()));
}

void check_answers(const json::value& value) {
  if (const auto* array = value.if_array()) {
    for (const json::value& item : *array) check_answers(item);
  } else if (const auto* object = value.if_object()) {
    const json::value* answer = object->if_contains("answer");
    if (answer == nullptr) {
      for (const auto& member : *object) check_answers(member.value());
      return;
    }
    const std::int64_t length = object->at("end").as_int64() - object->at("start").as_int64();
    require(object->at("start").as_int64() >= 0 && length >= 0);
    require(answer->as_string().empty() == (length == 0));
    require(object->at("score").is_number());
  }
}

void check_lines(ServiceReply& reply) {
  std::string text = reply.body;
  while (const auto part = reply.more()) text += *part;
  require(text.ends_with('\n') && reply.final_stats().questions > 0);
  bool ended = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const json::value line = parsed(std::string_view(text).substr(0, end));
    require(!ended);
    ended = line.as_object().contains("timing");
    require(ended || line.at("answers").is_array());
    check_answers(line);
    text.erase(0, end + 1);
  }
  require(ended);
}

void check_tensors(const json::value& reply) {
  for (const json::value& output : reply.at("outputs").as_array()) {
    require(output.at("shape").at(0) == output.at("data").as_array().size());
  }
}

void check_reply(ServiceReply& reply, Route route) {
  require(!reply.error);
  if (reply.more) {
    require(route == kAnswer && is_type(reply, "application/x-ndjson"));
    return check_lines(reply);
  }
  require(is_type(reply, kJsonType));
  const json::value value = parsed(reply.body);
  if (route == kInfer) return check_tensors(value);
  if (route == kTokenize) return require(value.at("count") == value.at("tokens").as_array().size());
  check_answers(value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const ServiceSettings kSettings = settings();
  const auto route = static_cast<Route>(data[0] & 7);
  const std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  ServiceRequest request;
  request.method = route == kQuery ? "GET" : "POST";
  request.paths = {kPaths[route]};
  if ((data[0] & kLines) != 0) request.accept = "application/x-ndjson";
  if (route == kQuery) {
    request.query = parse_query(rest);
  } else if ((data[0] & kGzip) == 0) {
    request.body = rest;
  } else {
    try {
      request.body = gunzip(rest, kSettings.max_body_bytes);
    } catch (const Error& error) {
      require(http_status(error) == 400 || http_status(error) == 413);
      return 0;
    }
    require(gunzip(gzip(request.body), kSettings.max_body_bytes) == request.body);
  }
  ServiceReply reply = serve_http(request, engine(), kSettings, {});
  if (reply.status == 200) {
    check_reply(reply, route);
  } else {
    check_problem(reply, request);
  }
  return 0;
}
