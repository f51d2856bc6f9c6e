#include "eval/squad_json.h"

#include <optional>

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

// The start of a text, read as far as it takes to tell SQuAD JSON from a line.
class Guesser {
 public:
  explicit Guesser(std::string_view prefix) : prefix_(prefix) {}

  SquadGuess guess(bool whole) {
    while ((i_ = prefix_.find_first_not_of(kSpace, i_)) < prefix_.size()) {
      if (closed_) return SquadGuess::kNo;  // more lines follow
      const bool is_string = prefix_[i_] == '"' && depth_ > 0;
      if (const auto known = is_string ? string() : mark(prefix_[i_])) return *known;
    }
    if (whole) return closed_ ? SquadGuess::kYes : SquadGuess::kNo;
    return has_members_ && !has_squad_members_ ? SquadGuess::kUnlikely : SquadGuess::kUndecided;
  }

 private:
  enum class Expect { kKey, kColon, kValue, kComma };  // in the object itself, not deeper

  // These go on behind a string or another character; empty where that decides nothing.
  std::optional<SquadGuess> string() {
    const std::size_t begin = ++i_;
    for (; i_ < prefix_.size() && prefix_[i_] != '"'; ++i_) {
      if (prefix_[i_] == '\\') ++i_;
      const bool torn = i_ < prefix_.size() && static_cast<unsigned char>(prefix_[i_]) < 0x20;
      if (torn) return SquadGuess::kNo;  // JSON has no line ends in strings
    }
    if (i_ >= prefix_.size()) return std::nullopt;
    const std::string_view text = prefix_.substr(begin, i_++ - begin);
    if (depth_ == 1) return member_string(text);
    if (depth_ != 3 || !in_first_data_ || text != "paragraphs") return std::nullopt;
    const std::size_t next = prefix_.find_first_not_of(kSpace, i_);
    if (next >= prefix_.size() || prefix_[next] != ':') return std::nullopt;
    return SquadGuess::kYes;
  }

  std::optional<SquadGuess> member_string(std::string_view text) {
    if (expect_ == Expect::kValue) {
      expect_ = Expect::kComma;
      return std::nullopt;
    }
    if (expect_ != Expect::kKey || text == "question" || text == "context") return SquadGuess::kNo;
    expect_ = Expect::kColon;
    key_ = text;
    has_members_ = true;
    has_squad_members_ |= text == "data" || text == "version";
    return std::nullopt;
  }

  std::optional<SquadGuess> mark(char c) {
    ++i_;
    if (depth_ == 0 && c != '{') return SquadGuess::kNo;
    if (depth_ == 1 && !expected(c)) return SquadGuess::kNo;
    if (c == '{' || c == '[') {
      if (++depth_ == 2) in_first_data_ = c == '[' && key_ == "data";
      has_data_ |= in_first_data_;
    } else if (c == '}' || c == ']') {
      closed_ = --depth_ == 0;
      if (closed_ && !has_data_) return SquadGuess::kNo;
    } else if (c == ',' && depth_ == 2) {
      in_first_data_ = false;
    }
    return std::nullopt;
  }

  // Whether `c` may stand there in the object itself. Of a number or a word no more is looked at.
  bool expected(char c) {
    const Expect here = expect_;
    if (here == Expect::kColon) expect_ = Expect::kValue;
    if (here == Expect::kValue) expect_ = Expect::kComma;
    if (c == ':') return here == Expect::kColon;
    if (c == '{' || c == '[') return here == Expect::kValue;
    if (c == '}') return here == Expect::kComma || here == Expect::kKey;
    if (c == ',') expect_ = Expect::kKey;
    return here == Expect::kComma || (here == Expect::kValue && c != ',');
  }

  std::string_view prefix_;
  std::size_t i_ = 0;
  int depth_ = 0;
  bool closed_ = false;  // the object has ended
  Expect expect_ = Expect::kKey;
  std::string_view key_;      // the last one of the object itself
  bool has_members_ = false;  // of whatever name
  bool has_squad_members_ = false;
  bool has_data_ = false;       // an array named "data" was seen
  bool in_first_data_ = false;  // inside data[0]
};

}  // namespace

SquadGuess guess_squad(std::string_view prefix, bool whole) {
  return Guesser(prefix).guess(whole);
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
