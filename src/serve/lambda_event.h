// The event of an AWS Lambda invocation -> the bytes of its result. No network: the loop that talks
// to the Lambda Runtime API stands on top of handle_event.
//
// The shapes that are understood are one table in lambda_event.cc; the first row that matches
// counts:
//
//   warm-up      {"source":"serverless-plugin-warmup"}, {"warmer":true}, a scheduled event without
//                detail: answered at once
//   alb          requestContext.elb; headers or multiValueHeaders as the request had them
//   http-v2      "version":"2.0" and requestContext.http: HTTP API and Function URL
//   http-v1      httpMethod: REST API, and HTTP API with payload 1.0
//   sqs          Records from aws:sqs, each body a request; {"batchItemFailures":[...]} names those
//                that failed. The answers go nowhere: SQS has no place for them
//   bare body    {"body": ...} alone: POST /ask of a REST API, as the first service's tests had it
//   direct       a request itself (serve/ask.h); its reply is the result
//
// A body may be null, text, base64, or JSON in place of text. What goes wrong with an HTTP shape is
// an HTTP reply.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lambert/lambert.h"
#include "serve/http_service.h"

namespace lambert {

struct EventSettings {
  ServiceSettings service;
  bool compat_2020 = false;                 // serve/compat_2020.h; then nothing else here counts
  std::size_t max_event_bytes = 6'291'556;  // what Lambda itself accepts: 6 MiB and 100 bytes
  std::size_t max_reply_bytes = 6'291'556;  // of the result with its envelope; more is a 413
  std::size_t max_alb_reply_bytes = 1 << 20;
};

struct EventContext {
  // When the answer has to be there: Lambda's deadline less what the way back takes.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

struct EventResult {
  std::string json;                // for POST /runtime/invocation/{id}/response
  std::string_view shape;          // the row's name
  int status = 200;                // of the HTTP reply; 200 for shapes without one
  std::optional<ErrorCode> error;  // why it is not 200, or why records failed
  std::size_t failed_records = 0;  // sqs
  AskStats stats;
};

// Thread-safe. Throws Error for what is no event (no JSON, no known shape), for direct requests
// that cannot be answered and for too long a reply to one; error_type() names it for /error.
EventResult handle_event(std::string_view event, const EventContext& context,
                         const Answerer& answerer, const EventSettings& settings);

// What handle_event returns where answering ends with `error`: for whoever knows that it would, or
// that it takes too long. Throws as that, for direct requests `error` itself.
EventResult refuse_event(std::string_view event, const Error& error, const EventSettings& settings);

// LAMBERT_COMPAT (empty or 2020) and LAMBERT_CORS_ORIGIN (default "*"; empty: no CORS headers, for
// a gateway or Function URL that adds its own). `environment` is as std::getenv. Throws
// kInvalidArgument.
EventSettings read_event_settings(const std::function<const char*(const char*)>& environment);

}  // namespace lambert
