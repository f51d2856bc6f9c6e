#include "serve/service_json.h"

#include "wire/json_writer.h"

namespace lambert {

namespace {

void append_text(std::string& out, std::string_view name, std::string_view text) {
  out += out.back() == '{' ? "\"" : ",\"";
  out += std::string(name) + "\":";
  append_json_string(out, text);
}

void append_count(std::string& out, std::string_view name, std::size_t count) {
  out += ",\"" + std::string(name) + "\":" + std::to_string(count);
}

// What the model of `info` is.
void append_model(std::string& out, const ModelInfo& info) {
  append_text(out, "version", LAMBERT_VERSION);
  append_text(out, "model_type", info.model_type);
  append_text(out, "precision", info.precision);
  append_text(out, "isa", info.isa);
}

void append_token(std::string& out, const TokenizedPair& pair, std::size_t i, const char* text) {
  out += out.back() == '[' ? "{" : ",{";
  out += "\"id\":" + std::to_string(pair.ids[i]);
  append_text(out, "token", pair.tokens[i]);
  append_text(out, "text", text);
  if (!pair.word_id[i]) {
    out += ",\"start\":null,\"end\":null,\"word\":null}";
    return;
  }
  append_count(out, "start", pair.start[i]);
  append_count(out, "end", pair.end[i]);
  append_count(out, "word", *pair.word_id[i]);
  out += '}';
}

}  // namespace

std::string health_json(const Answerer& answerer) {
  const ModelInfo info = answerer.info();
  std::string out = "{";
  append_text(out, "status", "ok");
  append_model(out, info);
  append_count(out, "max_seq_len", info.max_seq_len);
  return out + '}';
}

std::string info_json(const Answerer& answerer, const ServiceSettings& settings) {
  const ModelInfo info = answerer.info();
  std::string out = "{";
  append_text(out, "model_id", settings.model_id);
  append_model(out, info);
  append_count(out, "threads", info.threads);
  append_count(out, "parameters", info.parameters);
  append_count(out, "max_input_length", info.max_seq_len);
  append_count(out, "max_body_bytes", settings.max_body_bytes);
  append_count(out, "max_windows", settings.ask.max_windows);
  return out + '}';
}

std::string tokens_json(const boost::json::value& request, const Answerer& answerer) {
  const AskRequest asked = read_request(request, {});
  if (asked.queries.size() != 1 || asked.queries[0].documents->size() != 1) {
    throw RequestError(ErrorCode::kInvalidInput, 422, "",
                       "the request must have one question and one context");
  }
  const Query& query = asked.queries[0];
  const std::string& context = (*query.documents)[0].text;
  // What is replied takes up to 90 times the text, and no window bounds it.
  constexpr std::size_t kMost = std::size_t{256} << 10;
  if (query.question.size() + context.size() > kMost) {
    throw RequestError(ErrorCode::kLimitExceeded, 413, query.context_at,
                       "question and context have more than " + std::to_string(kMost) +
                           " bytes; send shorter texts");
  }
  TokenizedPair pair;
  try {
    pair = answerer.tokenize(query.question, context);
  } catch (const Error& error) {
    throw RequestError(error.code(), http_status(error.code()),
                       query.place_of(error.what(), 0, request), error.what());
  }
  // The question's tokens come first, special ones between it and the context.
  std::size_t in_question =
      answerer.tokenize(query.question, "").ids.size() - answerer.tokenize("", "").ids.size();
  std::string out = "{\"count\":" + std::to_string(pair.ids.size()) + ",\"tokens\":[";
  for (std::size_t i = 0; i < pair.ids.size(); ++i) {
    const bool special = !pair.word_id[i];
    append_token(out, pair, i, special ? "special" : in_question > 0 ? "question" : "context");
    if (!special && in_question > 0) --in_question;
  }
  return out + "]}";
}

}  // namespace lambert
