// HTTP requests as the gateways of AWS wrap them into events, and the envelopes of the replies.
// Members that are absent, null or of another kind count as absent. The body is text, base64, or
// JSON in its place; reading throws RequestError (400) for base64 that is none and for a body of
// another kind.
#pragma once

#include <string>

#include "serve/http_service.h"

namespace lambert {

bool is_alb_event(const boost::json::value& event);
bool is_http_v2_event(const boost::json::value& event);  // HTTP API and Function URL
bool is_http_v1_event(const boost::json::value& event);  // REST API, HTTP API with payload 1.0
bool is_bare_body_event(const boost::json::value& event);

// The request refers to parts of the event.
ServiceRequest read_alb_event(const boost::json::object& event);
ServiceRequest read_http_v2_event(const boost::json::object& event);
ServiceRequest read_http_v1_event(const boost::json::object& event);
ServiceRequest read_bare_body_event(const boost::json::object& event);

// {"statusCode":...,"headers":{...},"body":"...","isBase64Encoded":false}
std::string write_http_reply(const ServiceReply& reply, const boost::json::object& event);
// The same with "statusDescription", and "multiValueHeaders" instead where the event has those.
std::string write_alb_reply(const ServiceReply& reply, const boost::json::object& event);

}  // namespace lambert
