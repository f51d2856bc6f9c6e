#include "eval/squad_json.h"

#include "base/json.h"
#include "wire/json_writer.h"

namespace lambert {

namespace json = boost::json;

namespace {

constexpr std::string_view kSpace = " \t\r\n";

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

}  // namespace

SquadGuess guess_squad(std::string_view prefix) {
  std::size_t i = prefix.find_first_not_of(kSpace);
  if (i == std::string_view::npos) return SquadGuess::kUndecided;
  if (prefix[i] != '{') return SquadGuess::kNo;
  int depth = 0;
  std::string_view top_key;    // the last key of the object itself
  bool has_data = false;       // an array named "data" was seen
  bool in_first_data = false;  // inside data[0]
  while (i < prefix.size()) {
    const char c = prefix[i];
    if (c == '"') {
      const std::size_t end = skip_string(prefix, i);
      if (end == std::string_view::npos) return SquadGuess::kUndecided;
      const std::size_t colon = prefix.find_first_not_of(kSpace, end);
      if (colon == std::string_view::npos) return SquadGuess::kUndecided;
      if (prefix[colon] == ':') {
        const std::string_view key = prefix.substr(i + 1, end - i - 2);
        if (depth == 1 && (key == "question" || key == "context")) return SquadGuess::kNo;
        if (depth == 1) top_key = key;
        if (depth == 3 && in_first_data && key == "paragraphs") return SquadGuess::kYes;
      }
      i = end;
      continue;
    }
    if (c == '{' || c == '[') {
      if (++depth == 2) in_first_data = c == '[' && top_key == "data";
      has_data |= in_first_data;
    } else if (c == '}' || c == ']') {
      if (--depth == 0) return has_data ? SquadGuess::kYes : SquadGuess::kNo;
    } else if (c == ',' && depth == 2) {
      in_first_data = false;
    }
    ++i;
  }
  return SquadGuess::kUndecided;
}

SquadData parse_squad(std::string_view source_text, std::string_view source) {
  JsonLimits limits;
  limits.max_bytes = kMaxSquadBytes;
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
