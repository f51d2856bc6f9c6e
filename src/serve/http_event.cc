#include "serve/http_event.h"

#include <algorithm>
#include <utility>

#include "base/json_member.h"
#include "serve/base64.h"
#include "serve/query_string.h"
#include "wire/json_writer.h"

namespace lambert {

namespace json = boost::json;

namespace {

// A member of the object `outer` within `event`.
std::string_view string_in(const json::object& event, std::string_view outer,
                           std::string_view name) {
  const json::object* object = object_at(event, outer);
  return object != nullptr ? string_at(*object, name) : std::string_view();
}

bool equal_names(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

// The value of a header, the last one where it was sent several times.
std::string_view header(const json::object& event, std::string_view name) {
  std::string_view found;
  for (const char* member : {"headers", "multiValueHeaders"}) {
    const json::object* headers = object_at(event, member);
    if (headers == nullptr) continue;
    for (const auto& [key, value] : *headers) {
      if (!equal_names(key, name)) continue;
      const json::value* last = &value;
      if (const auto* values = value.if_array(); values != nullptr && !values->empty()) {
        last = &values->back();
      }
      if (const auto* text = last->if_string()) found = *text;
    }
  }
  return found;
}

void read_body(const json::object& event, ServiceRequest& request) {
  request.content_encoding = header(event, "content-encoding");
  const json::value* body = event.if_contains("body");
  if (body == nullptr || body->is_null()) return;
  if (body->is_structured()) {
    request.json = body;
    return;
  }
  const auto* text = body->if_string();
  if (text == nullptr) {
    throw RequestError(ErrorCode::kInvalidInput, 400, "",
                       "body: must be text or JSON, found " + scalar_json(*body));
  }
  const json::value* encoded = event.if_contains("isBase64Encoded");
  if (encoded == nullptr || !encoded->is_bool() || !encoded->get_bool()) {
    request.body = *text;
    return;
  }
  auto bytes = decode_base64(*text);
  if (!bytes) {
    throw RequestError(ErrorCode::kInvalidInput, 400, "",
                       "body: isBase64Encoded is true, but it is no base64");
  }
  request.body = std::move(*bytes);
}

// queryStringParameters and, after them, multiValueQueryStringParameters.
json::object read_query(const json::object& event, bool encoded) {
  json::object query;
  const auto add = [&](std::string_view name, const json::value& value) {
    const auto* text = value.if_string();
    if (text == nullptr) return;
    if (encoded) {
      add_query_field(query, decode_component(name), decode_component(*text));
    } else {
      add_query_field(query, name, *text);
    }
  };
  if (const json::object* single = object_at(event, "queryStringParameters")) {
    for (const auto& [name, value] : *single) add(name, value);
  }
  if (const json::object* several = object_at(event, "multiValueQueryStringParameters")) {
    for (const auto& [name, values] : *several) {
      if (const auto* array = values.if_array(); array != nullptr && !array->empty()) {
        add(name, array->back());
      }
    }
  }
  return query;
}

// What the path may be: as it came; without the stage, which some gateways leave in it; and what
// the gateway matched, since a custom domain may put a base path before it.
std::vector<std::string> possible_paths(const json::object& event, std::string_view path,
                                        std::string_view matched) {
  std::vector<std::string> paths = {std::string(path)};
  const std::string_view stage = string_in(event, "requestContext", "stage");
  if (!stage.empty()) {
    const std::string prefix = '/' + std::string(stage);
    if (path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/')) {
      paths.emplace_back(path.substr(prefix.size()));
    }
  }
  if (matched.starts_with('/') && matched.find('{') == std::string_view::npos) {
    paths.emplace_back(matched);
  }
  if (const std::string_view proxy = string_in(event, "pathParameters", "proxy"); !proxy.empty()) {
    paths.push_back('/' + std::string(proxy));
  }
  return paths;
}

std::string write_reply(const ServiceReply& reply, bool alb, bool several_values) {
  std::string out = "{\"statusCode\":" + std::to_string(reply.status);
  if (alb) {
    out += ",\"statusDescription\":";
    append_json_string(
        out, std::to_string(reply.status) + ' ' + std::string(reason_phrase(reply.status)));
  }
  out += several_values ? ",\"multiValueHeaders\":{" : ",\"headers\":{";
  for (const auto& [name, value] : reply.headers) {
    if (name != reply.headers.front().first) out += ',';
    append_json_string(out, name);
    out += several_values ? ":[" : ":";
    append_json_string(out, value);
    if (several_values) out += ']';
  }
  out += "},\"body\":";
  append_json_string(out, reply.body);
  return out + ",\"isBase64Encoded\":false}";
}

}  // namespace

bool is_alb_event(const json::value& event) {
  const auto* object = event.if_object();
  const json::object* context = object != nullptr ? object_at(*object, "requestContext") : nullptr;
  return context != nullptr && object_at(*context, "elb") != nullptr;
}

bool is_http_v2_event(const json::value& event) {
  const auto* object = event.if_object();
  const json::object* context = object != nullptr ? object_at(*object, "requestContext") : nullptr;
  return context != nullptr && string_at(*object, "version") == "2.0" &&
         object_at(*context, "http") != nullptr;
}

bool is_http_v1_event(const json::value& event) {
  const auto* object = event.if_object();
  return object != nullptr && !string_at(*object, "httpMethod").empty();
}

bool is_bare_body_event(const json::value& event) {
  const auto* object = event.if_object();
  return object != nullptr && object->contains("body");
}

ServiceRequest read_alb_event(const json::object& event) {
  ServiceRequest request;
  request.method = string_at(event, "httpMethod");
  request.paths = {std::string(string_at(event, "path"))};
  request.query = read_query(event, true);  // an ALB does not decode it
  read_body(event, request);
  return request;
}

ServiceRequest read_http_v2_event(const json::object& event) {
  ServiceRequest request;
  const json::object& http = event.at("requestContext").at("http").get_object();
  request.method = string_at(http, "method");
  const std::string_view route = string_at(event, "routeKey");  // "POST /ask" or "$default"
  const std::size_t space = route.find(' ');
  request.paths = possible_paths(event, string_at(event, "rawPath"),
                                 space == std::string_view::npos ? "" : route.substr(space + 1));
  // queryStringParameters would join what was sent twice with commas.
  request.query = parse_query(string_at(event, "rawQueryString"));
  read_body(event, request);
  return request;
}

ServiceRequest read_http_v1_event(const json::object& event) {
  ServiceRequest request;
  request.method = string_at(event, "httpMethod");
  request.paths = possible_paths(event, string_at(event, "path"), string_at(event, "resource"));
  request.query = read_query(event, false);
  read_body(event, request);
  return request;
}

ServiceRequest read_bare_body_event(const json::object& event) {
  ServiceRequest request;
  request.method = "POST";
  request.paths = {"/ask"};
  read_body(event, request);
  return request;
}

std::string write_http_reply(const ServiceReply& reply, const json::object&) {
  return write_reply(reply, false, false);
}

std::string write_alb_reply(const ServiceReply& reply, const json::object& event) {
  return write_reply(reply, true, object_at(event, "multiValueHeaders") != nullptr);
}

}  // namespace lambert
