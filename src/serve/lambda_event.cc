#include "serve/lambda_event.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/json_member.h"
#include "serve/compat_2020.h"
#include "serve/http_event.h"
#include "wire/json_writer.h"

namespace lambert {

namespace json = boost::json;

namespace {

struct Session {
  const EventContext& context;
  const Answerer* engine;  // null: the event is refused
  const Error* refusal;
  const EventSettings& settings;

  const Answerer& answerer() const {
    if (refusal != nullptr) throw Error(*refusal);
    return *engine;
  }
};

bool is_warm_up(const json::value& event) {
  const auto* object = event.if_object();
  if (object == nullptr) return false;
  if (string_at(*object, "source") == "serverless-plugin-warmup") return true;
  if (const json::value* warmer = object->if_contains("warmer")) {
    return warmer->is_bool() && warmer->get_bool();
  }
  if (string_at(*object, "source") != "aws.events") return false;
  const json::value* detail = object->if_contains("detail");
  return detail == nullptr || detail->is_null() ||
         (detail->is_object() && detail->get_object().empty());
}

EventResult answer_warm_up(const json::value&, const Session&) {
  EventResult result;
  result.json = R"({"statusCode":200,"body":"{\"status\":\"warm\"}"})";
  return result;
}

bool is_sqs(const json::value& event) {
  const auto* object = event.if_object();
  const json::value* records = object != nullptr ? object->if_contains("Records") : nullptr;
  if (records == nullptr || !records->is_array() || records->get_array().empty()) return false;
  const auto* first = records->get_array()[0].if_object();
  return first != nullptr && string_at(*first, "eventSource") == "aws:sqs";
}

// What became of one message of a queue.
struct Message {
  std::string_view id;
  std::optional<PendingAnswers> answers;  // none: it failed
};

Message submit_message(const json::value& record, const Session& session, EventResult& result) {
  Message message;
  const auto* object = record.if_object();
  if (object != nullptr) message.id = string_at(*object, "messageId");
  if (message.id.empty()) {
    fail(ErrorCode::kInvalidInput,
         "event: a record of aws:sqs has no messageId, so that its "
         "failure could not be reported");
  }
  try {
    const ServiceSettings& settings = session.settings.service;
    message.answers = submit(parse_body(string_at(*object, "body"), settings.max_body_bytes),
                             session.answerer(), settings.ask, {session.context.deadline});
  } catch (const Error& error) {
    result.error = error.code();
  }
  return message;
}

void add(const AskStats& more, AskStats& all) {
  all.questions += more.questions;
  all.pairs += more.pairs;
  all.question_bytes += more.question_bytes;
  all.context_bytes += more.context_bytes;
  all.answers += more.answers;
  all.windows += more.windows;
  all.tokens += more.tokens;
  all.tokenize_ms = std::max(all.tokenize_ms, more.tokenize_ms);
  all.queue_ms = std::max(all.queue_ms, more.queue_ms);
  all.compute_ms = std::max(all.compute_ms, more.compute_ms);
}

EventResult answer_sqs(const json::value& event, const Session& session) {
  EventResult result;
  std::vector<Message> messages;
  for (const json::value& record : event.at("Records").as_array()) {
    messages.push_back(submit_message(record, session, result));
  }
  result.json = "{\"batchItemFailures\":[";
  for (Message& message : messages) {
    try {
      if (message.answers) {
        static_cast<void>(wait_for_reply(*message.answers));
        add(message.answers->stats(), result.stats);
        continue;
      }
    } catch (const Error& error) {
      result.error = error.code();
    }
    if (result.failed_records++ > 0) result.json += ',';
    result.json += "{\"itemIdentifier\":";
    append_json_string(result.json, message.id);
    result.json += '}';
  }
  result.json += "]}";
  return result;
}

bool is_direct(const json::value& event) {
  const auto* object = event.if_object();
  if (object == nullptr) return event.is_array();
  for (const char* name : {"question", "questions", "inputs", "instances", "context"}) {
    if (object->contains(name)) return true;
  }
  return false;
}

EventResult answer_direct(const json::value& event, const Session& session) {
  PendingAnswers answers =
      submit(event, session.answerer(), session.settings.service.ask, {session.context.deadline});
  EventResult result;
  result.json = wait_for_reply(answers);
  result.stats = answers.stats();
  if (result.json.size() > session.settings.max_reply_bytes) {
    fail(ErrorCode::kLimitExceeded, "reply: of ", result.json.size(), " bytes, at most ",
         session.settings.max_reply_bytes, " can be returned; lower top_k or send fewer questions");
  }
  return result;
}

using Read = ServiceRequest (*)(const json::object&);
using Write = std::string (*)(const ServiceReply&, const json::object&);

// An HTTP event: the shape says how its request is read and how the reply is written.
template <Read read, Write write>
EventResult answer_http(const json::value& event, const Session& session) {
  const json::object& object = event.get_object();
  const ServiceSettings& settings = session.settings.service;
  ServiceReply reply;
  try {
    reply = serve_http(read(object), session.answerer(), settings, {session.context.deadline});
  } catch (const Error& error) {
    reply = error_reply(error, settings);
  }
  EventResult result;
  result.stats = reply.stats;
  result.json = write(reply, object);
  const std::size_t limit =
      is_alb_event(event) ? session.settings.max_alb_reply_bytes : session.settings.max_reply_bytes;
  if (result.json.size() > limit) {
    const Error too_long(ErrorCode::kLimitExceeded,
                         "reply: of " + std::to_string(result.json.size()) + " bytes, at most " +
                             std::to_string(limit) +
                             " can be returned; lower top_k or send fewer questions");
    reply = error_reply(too_long, settings);
    result.json = write(reply, object);
  }
  result.status = reply.status;
  result.error = reply.error;
  return result;
}

struct EventShape {
  std::string_view name;
  bool (*matches)(const json::value& event);
  EventResult (*answer)(const json::value& event, const Session& session);
};

constexpr EventShape kShapes[] = {
    {"warm-up", is_warm_up, answer_warm_up},
    {"alb", is_alb_event, answer_http<read_alb_event, write_alb_reply>},
    {"http-v2", is_http_v2_event, answer_http<read_http_v2_event, write_http_reply>},
    {"http-v1", is_http_v1_event, answer_http<read_http_v1_event, write_http_reply>},
    {"sqs", is_sqs, answer_sqs},
    {"bare body", is_bare_body_event, answer_http<read_bare_body_event, write_http_reply>},
    {"direct", is_direct, answer_direct},
};

[[noreturn]] void refuse_shape() {
  std::string names;
  for (const EventShape& shape : kShapes) {
    names += (names.empty() ? "" : ", ") + std::string(shape.name);
  }
  fail(ErrorCode::kInvalidInput, "event: has none of the shapes that are understood (", names,
       "); send {\"question\":...,\"context\":...}");
}

EventResult handle_as_2020(std::string_view event, const Session& session) {
  EventResult result;
  Reply2020 reply = session.refusal != nullptr
                        ? refuse_as_2020(*session.refusal)
                        : answer_as_2020(event, *session.engine, session.context.deadline);
  result.json = std::move(reply.envelope);
  result.shape = "compat 2020";
  result.status = reply.status;
  result.stats = reply.stats;
  return result;
}

EventResult handle(std::string_view event, const Session& session) {
  if (session.settings.compat_2020) return handle_as_2020(event, session);
  JsonLimits limits;
  limits.max_bytes = session.settings.max_event_bytes;
  const json::value value = parse_json(event, "event", ErrorCode::kInvalidInput, limits);
  for (const EventShape& shape : kShapes) {
    if (!shape.matches(value)) continue;
    EventResult result = shape.answer(value, session);
    result.shape = shape.name;
    return result;
  }
  refuse_shape();
}

}  // namespace

EventResult handle_event(std::string_view event, const EventContext& context,
                         const Answerer& answerer, const EventSettings& settings) {
  return handle(event, {context, &answerer, nullptr, settings});
}

EventResult refuse_event(std::string_view event, const Error& error,
                         const EventSettings& settings) {
  return handle(event, {{}, nullptr, &error, settings});
}

EventSettings read_event_settings(const std::function<const char*(const char*)>& environment) {
  EventSettings settings;
  if (const char* compat = environment("LAMBERT_COMPAT"); compat != nullptr && *compat != '\0') {
    if (std::string_view(compat) != "2020") {
      fail(ErrorCode::kInvalidArgument, "LAMBERT_COMPAT is ", quote(compat),
           ", but must be 2020 or empty");
    }
    settings.compat_2020 = true;
  }
  if (const char* origin = environment("LAMBERT_CORS_ORIGIN")) {
    for (const char* c = origin; *c != '\0'; ++c) {
      if (*c > ' ' && *c < '\x7F') continue;
      fail(ErrorCode::kInvalidArgument, "LAMBERT_CORS_ORIGIN is ", quote(origin),
           ", but must be an origin such as https://example.org, * or empty");
    }
    settings.service.cors_origin = origin;
  }
  return settings;
}

}  // namespace lambert
