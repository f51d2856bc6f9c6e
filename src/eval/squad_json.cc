#include "eval/squad_json.h"

#include "base/json.h"
#include "wire/json_writer.h"

namespace lambert {

namespace json = boost::json;

namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::size_t kMaxBytes = std::size_t{1} << 30;

const json::value& member(const json::value& value, const char* name, const std::string& place) {
  const auto* object = value.if_object();
  const json::value* found = object == nullptr ? nullptr : object->if_contains(name);
  if (found == nullptr) {
    fail(ErrorCode::kInvalidInput, place, ": \"", name, "\" is missing; SQuAD JSON is expected: ",
         R"({"data":[{"paragraphs":[{"context":"...","qas":[{"id","question","answers"}]}]}]})");
  }
  return *found;
}

const json::array& array(const json::value& value, const char* name, const std::string& place) {
  const auto* found = member(value, name, place).if_array();
  if (found == nullptr) {
    fail(ErrorCode::kInvalidInput, place, ": \"", name, "\" must be an array");
  }
  return *found;
}

std::string text(const json::value& value, const char* name, const std::string& place) {
  const auto* found = member(value, name, place).if_string();
  if (found == nullptr) {
    fail(ErrorCode::kInvalidInput, place, ": \"", name, "\" must be a string");
  }
  return std::string(found->data(), found->size());
}

std::string at(const std::string& place, const char* name, std::size_t index) {
  return place + "." + name + "[" + std::to_string(index) + "]";
}

void read_question(const json::value& value, const std::string& place, SquadData& data) {
  SquadQuestion question;
  question.context = data.contexts.size() - 1;
  question.question = text(value, "question", place);
  const json::object& object = value.get_object();
  const json::value* id = object.if_contains("id");
  question.id = id != nullptr && (id->is_string() || id->is_number())
                    ? scalar_json(*id)
                    : std::to_string(data.questions.size() + 1);
  if (object.contains("is_impossible")) data.v2 = true;
  if (object.contains("answers")) {
    const json::array& answers = array(value, "answers", place);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      question.answers.push_back(text(answers[i], "text", at(place, "answers", i)));
    }
  }
  data.questions.push_back(std::move(question));
}

// Skips a string that starts at `i`; the position behind it, or npos where it does not end.
std::size_t skip_string(std::string_view prefix, std::size_t i) {
  for (++i; i < prefix.size() && prefix[i] != '"'; ++i) {
    if (prefix[i] == '\\') ++i;
  }
  return i < prefix.size() ? i + 1 : std::string_view::npos;
}

// What the member named `key`, whose ':' is at `colon`, says about the object.
SquadGuess judge(std::string_view prefix, std::string_view key, std::size_t colon) {
  if (key == "question" || key == "context") return SquadGuess::kNo;
  if (key != "data") return SquadGuess::kUndecided;
  const std::size_t open = prefix.find_first_not_of(kSpace, colon + 1);
  if (open == std::string_view::npos) return SquadGuess::kUndecided;
  if (prefix[open] != '[') return SquadGuess::kNo;
  const std::size_t first = prefix.find_first_not_of(kSpace, open + 1);
  if (first == std::string_view::npos) return SquadGuess::kUndecided;
  return prefix[first] == '{' || prefix[first] == ']' ? SquadGuess::kYes : SquadGuess::kNo;
}

}  // namespace

SquadGuess guess_squad(std::string_view prefix) {
  std::size_t i = prefix.find_first_not_of(kSpace);
  if (i == std::string_view::npos) return SquadGuess::kUndecided;
  if (prefix[i] != '{') return SquadGuess::kNo;
  int depth = 0;
  while (i < prefix.size()) {
    const char c = prefix[i];
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return SquadGuess::kNo;
    if (c != '"') {
      ++i;
      continue;
    }
    const std::size_t end = skip_string(prefix, i);
    if (end == std::string_view::npos) return SquadGuess::kUndecided;
    const std::size_t colon = prefix.find_first_not_of(kSpace, end);
    if (colon == std::string_view::npos) return SquadGuess::kUndecided;
    if (depth == 1 && prefix[colon] == ':') {
      const std::string_view key = prefix.substr(i + 1, end - i - 2);
      const SquadGuess guess = judge(prefix, key, colon);
      if (guess != SquadGuess::kUndecided || key == "data") return guess;
    }
    i = end;
  }
  return SquadGuess::kUndecided;
}

SquadData parse_squad(std::string_view source_text, std::string_view source) {
  JsonLimits limits;
  limits.max_bytes = kMaxBytes;
  const json::value root = parse_json(source_text, source, ErrorCode::kInvalidInput, limits);
  const std::string top(source);
  SquadData data;
  const json::array& articles = array(root, "data", top);
  for (std::size_t a = 0; a < articles.size(); ++a) {
    const std::string article = top + ": data[" + std::to_string(a) + "]";
    const json::array& paragraphs = array(articles[a], "paragraphs", article);
    for (std::size_t p = 0; p < paragraphs.size(); ++p) {
      const std::string paragraph = at(article, "paragraphs", p);
      data.contexts.push_back(text(paragraphs[p], "context", paragraph));
      const json::array& questions = array(paragraphs[p], "qas", paragraph);
      for (std::size_t q = 0; q < questions.size(); ++q) {
        read_question(questions[q], at(paragraph, "qas", q), data);
      }
    }
  }
  for (const SquadQuestion& question : data.questions) data.v2 |= question.answers.empty();
  return data;
}

}  // namespace lambert
