#include "serve/compat_2020.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "serve/python_json.h"

namespace lambert {

namespace {

// special_tokens_map.json of the service; convert_ids_to_tokens(skip_special_tokens=True) skips
// them wherever they are from.
bool is_special(std::string_view token) {
  constexpr std::array<std::string_view, 5> kSpecials = {"[PAD]", "[UNK]", "[CLS]", "[SEP]",
                                                         "[MASK]"};
  return std::find(kSpecials.begin(), kSpecials.end(), token) != kSpecials.end();
}

// " ".join(tokens).replace(" ##", "").strip()
std::string join_tokens(const std::vector<std::string>& tokens, std::size_t begin,
                        std::size_t end) {
  std::string joined;
  for (std::size_t i = begin; i < end; ++i) {
    if (is_special(tokens[i])) continue;
    if (joined.empty()) {
      joined = tokens[i];
    } else if (tokens[i].starts_with("##")) {
      joined.append(tokens[i], 2);
    } else {
      joined += ' ';
      joined += tokens[i];
    }
  }
  return joined;
}

std::size_t argmax(const std::vector<float>& logits) {
  return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

// The text as the tokenizer saw it: it dropped lone surrogates along with control characters. The
// engine asks no empty question; a space has no tokens either.
std::string text_of(const PythonValue& value) {
  if (value.type != PythonValue::Type::kStr) {
    throw PythonError("ValueError",
                      "Input is not valid. Should be a string, a list/tuple of strings or a "
                      "list/tuple of integers.");
  }
  std::string text;
  for (const char32_t c : value.text) {
    if (c < 0xD800 || c >= 0xE000) append_utf8(c, text);
  }
  return text.empty() ? " " : text;
}

std::string predict(Question question, const Answerer& answerer, AskStats& stats) {
  const TokenizedPair pair = answerer.tokenize(question.question, question.context);
  stats.tokens = pair.ids.size();
  const std::size_t longest = answerer.info().max_seq_len;
  if (pair.ids.size() > longest) throw PythonError("IndexError", "index out of range in self");
  question.parameters.max_seq_len = static_cast<std::int64_t>(longest);  // so there is one window
  const std::vector<WindowLogits> logits = answerer.logits(question);
  stats.windows = logits.size();
  const std::size_t begin = argmax(logits.at(0).start), end = argmax(logits.at(0).end) + 1;
  return join_tokens(pair.tokens, begin, std::max(begin, end));
}

std::string answer(const PythonValue& event, const Answerer& answerer,
                   std::chrono::steady_clock::time_point deadline, AskStats& stats) {
  const PythonValue& body = event.at("body");
  if (body.type != PythonValue::Type::kStr) {
    throw PythonError("TypeError", "the JSON object must be str, bytes or bytearray, not " +
                                       std::string(body.type_name()));
  }
  const PythonValue request = python_json_loads(body.text);
  const PythonValue& asked = request.at("question");
  const PythonValue& over = request.at("context");
  Question question;
  question.question = text_of(asked);
  question.context = text_of(over);
  question.deadline = deadline;
  stats.questions = stats.pairs = 1;
  stats.question_bytes = question.question.size();
  stats.context_bytes = question.context.size();
  return predict(std::move(question), answerer, stats);
}

// The exception in whose place the engine's error comes.
PythonError python_error(const Error& error) {
  if (error.code() == ErrorCode::kDeadlineExceeded) {
    return {"TimeoutError", "the deadline passed before the question was answered"};
  }
  return {"RuntimeError", std::string(error_code_name(error.code()))};
}

std::string envelope(int status, std::string_view key, std::string_view text) {
  const std::string body =
      "{\"" + std::string(key) + "\": " + python_json_dumps(text) + '}';  // json.dumps of a dict
  return "{\"statusCode\": " + std::to_string(status) +
         ", \"headers\": {\"Content-Type\": \"application/json\", "
         "\"Access-Control-Allow-Origin\": \"*\", \"Access-Control-Allow-Credentials\": true}, "
         "\"body\": " +
         python_json_dumps(body) + '}';
}

PythonValue read_event(std::string_view event) {
  if (const auto error = check_utf8(event).error_byte) {
    fail(ErrorCode::kInvalidInput, "event: no UTF-8 at byte ", *error);
  }
  try {
    return python_json_loads(decode_utf8(event));
  } catch (const PythonError& error) {
    fail(ErrorCode::kInvalidInput, "event: ", error.what());
  }
}

}  // namespace

Reply2020 refuse_as_2020(const Error& error) {
  Reply2020 reply;
  reply.status = 500;
  reply.envelope = envelope(500, "error", python_error(error).repr());
  return reply;
}

Reply2020 answer_as_2020(std::string_view event, const Answerer& answerer,
                         std::chrono::steady_clock::time_point deadline) {
  const PythonValue value = read_event(event);
  Reply2020 reply;
  try {
    const std::string found = answer(value, answerer, deadline, reply.stats);
    reply.stats.answers = 1;
    reply.envelope = envelope(200, "answer", found);
  } catch (const PythonError& error) {
    reply.status = 500;
    reply.envelope = envelope(500, "error", error.repr());
  } catch (const Error& error) {
    return refuse_as_2020(error);
  }
  return reply;
}

}  // namespace lambert
