#include "serve/answer_v1.h"

#include <memory>

#include "wire/json_writer.h"

namespace lambert {

namespace json = boost::json;

namespace {

constexpr std::string_view kLines = "application/x-ndjson";

using SteadyClock = std::chrono::steady_clock;

// One request; answers are waited for in the order of the questions.
struct Answering {
  PendingAnswers pending;
  std::string model_id;
  SteadyClock::time_point began;
  std::size_t next = 0;
  bool ended = false;

  std::string tail() const;
  std::string next_line();
};

void append_score(std::string& out, const std::optional<double>& score) {
  if (score) {
    append_json_number(out, *score);
  } else {
    out += "null";
  }
}

void append_answers(std::string& out, const FoundAnswers& found, const Query& query,
                    std::size_t question) {
  for (std::size_t i = 0; i < found.answers.size(); ++i) {
    if (i > 0) out += ',';
    append_found(out, found.answers[i], query, question);
  }
}

// "model":...,"timing":{...}}
std::string Answering::tail() const {
  const AskStats& stats = pending.stats();
  std::string out = "\"model\":";
  append_json_string(out, model_id);
  out += ",\"timing\":{";
  const double total =
      std::chrono::duration<double, std::milli>(SteadyClock::now() - began).count();
  for (const auto& [name, ms] : {std::pair<const char*, double>{"tokenize_ms", stats.tokenize_ms},
                                 {"queue_ms", stats.queue_ms},
                                 {"compute_ms", stats.compute_ms},
                                 {"total_ms", total}}) {
    out += '"' + std::string(name) + "\":";
    append_json_number(out, ms);
    out += ',';
  }
  return out + "\"windows\":" + std::to_string(stats.windows) +
         ",\"tokens\":" + std::to_string(stats.tokens) + "}}";
}

std::string Answering::next_line() {
  if (next == pending.size()) {
    ended = true;
    return '{' + tail() + '\n';
  }
  const std::size_t question = next++;
  const FoundAnswers found = pending.wait(question);
  std::string line = "{\"question\":" + std::to_string(question) + ",\"answers\":[";
  append_answers(line, found, pending.query(question), question);
  line += "],\"no_answer_score\":";
  append_score(line, found.no_answer_score);
  return line + "}\n";
}

std::string whole_reply(Answering& answering) {
  std::string out = "{\"answers\":[", scores;
  PendingAnswers& pending = answering.pending;
  bool first = true;
  for (std::size_t question = 0; question < pending.size(); ++question) {
    const FoundAnswers found = pending.wait(question);
    if (!first && !found.answers.empty()) out += ',';
    first = first && found.answers.empty();
    append_answers(out, found, pending.query(question), question);
    if (question > 0) scores += ',';
    append_score(scores, found.no_answer_score);
  }
  if (pending.shape().kind == ReplyShape::Kind::kArray) scores = '[' + scores + ']';
  return out + "],\"no_answer_score\":" + scores + ',' + answering.tail();
}

}  // namespace

void answer_v1(const json::value& value, const ServiceRequest& request, const Answerer& answerer,
               const ServiceSettings& settings, const AskLimits& limits, ServiceReply& reply) {
  const SteadyClock::time_point began = SteadyClock::now();
  const auto* object = value.if_object();
  if (object == nullptr || object->contains("inputs") || object->contains("instances")) {
    throw RequestError(ErrorCode::kInvalidInput, 422, "",
                       "the request must be an object with question or questions, and context, "
                       "contexts or documents");
  }
  auto answering = std::make_shared<Answering>(
      Answering{submit(value, answerer, settings.ask, limits), settings.model_id, began});
  if (request.accept.find(kLines) == std::string::npos) {
    reply.body = whole_reply(*answering);
    reply.stats = answering->pending.stats();
    return;
  }
  reply.headers = {{"Content-Type", std::string(kLines)}};
  reply.body = answering->next_line();
  reply.more = [answering]() -> std::optional<std::string> {
    if (answering->ended) return std::nullopt;
    try {
      return answering->next_line();
    } catch (const Error& error) {
      answering->ended = true;
      return problem_json(error) + '\n';
    }
  };
  reply.final_stats = [answering] { return answering->pending.stats(); };
}

}  // namespace lambert
