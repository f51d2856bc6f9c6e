#include "golden_cases.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "../squad_data.h"
#include "base/json.h"

namespace lambert::test {
namespace {

namespace json = boost::json;

constexpr double kTolerance = 1e-5;

std::string text_of(const json::value& value) {
  return std::string(value.as_string());
}

Parameters parameters_of(const json::object& object, Mode mode) {
  Parameters parameters;
  parameters.mode = mode;
  for (const auto& [name, value] : object) {
    if (name == "top_k")
      parameters.top_k = value.as_int64();
    else if (name == "max_seq_len")
      parameters.max_seq_len = value.as_int64();
    else if (name == "doc_stride")
      parameters.doc_stride = value.as_int64();
    else if (name == "max_answer_len")
      parameters.max_answer_len = value.as_int64();
    else if (name == "handle_impossible_answer")
      parameters.handle_impossible_answer = value.as_bool();
    else if (name == "align_to_words")
      parameters.align_to_words = value.as_bool();
    else if (name == "n_best_size")
      parameters.n_best_size = value.as_int64();
    else if (name == "null_score_diff_threshold")
      parameters.null_score_diff_threshold = value.to_number<double>();
    else if (name == "score_threshold")
      parameters.score_threshold = value.to_number<double>();
    else
      throw std::runtime_error("unknown parameter " + std::string(name));
  }
  return parameters;
}

// False when the case names texts that are not there.
bool fill_texts(const json::object& line, const SquadTexts* texts, Question& question) {
  if (line.contains("c")) {
    question.question = text_of(line.at("q"));
    question.context = text_of(line.at("c"));
    return true;
  }
  if (texts == nullptr) return false;
  const SquadTexts::Item& item = texts->item(text_of(line.at("file")), text_of(line.at("id")));
  question.question = item.question;
  question.context = *item.context;
  if (const json::value* document = line.if_contains("doc")) {
    question.context = texts->document(document->at(0).to_number<std::size_t>(),
                                       document->at(1).to_number<std::size_t>());
  }
  return true;
}

bool matches(const Answer& a, const Answer& b) {
  return a.answer == b.answer && a.start == b.start && a.end == b.end &&
         std::abs(a.score - b.score) <= kTolerance;
}

void print(std::ostream& out, const char* title, const std::vector<Answer>& answers) {
  out << "\n  " << title << ":";
  for (const Answer& a : answers) {
    out << " [" << a.answer << ", " << a.score << ", " << a.start << ", " << a.end << "]";
  }
}

// Whether each of expected[begin, end) is among the answers at the same places.
bool same_group(const std::vector<Answer>& expected, const std::vector<Answer>& answers,
                std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    bool found = false;
    for (std::size_t k = begin; k < end; ++k) found = found || matches(expected[i], answers[k]);
    if (!found) return false;
  }
  return true;
}

bool same_answers(const std::vector<Answer>& expected, const std::vector<Answer>& answers) {
  if (answers.size() < expected.size()) return false;
  for (std::size_t begin = 0, end = 0; begin < expected.size(); begin = end) {
    end = begin + 1;
    while (end < expected.size() &&
           std::abs(expected[end - 1].score - expected[end].score) < kTolerance) {
      ++end;
    }
    if (!same_group(expected, answers, begin, end)) return false;
  }
  return true;
}

}  // namespace

std::optional<SquadTexts> SquadTexts::load() {
  SquadTexts texts;
  for (const char* file : {"1.1", "2.0"}) {
    const std::optional<std::string> text = read_squad(std::string("dev-v") + file);
    if (!text) return std::nullopt;
    texts.add(file, *text);
  }
  return texts;
}

void SquadTexts::add(const std::string& file, std::string_view text) {
  const json::value data = parse_json(text, file, ErrorCode::kInvalidInput);
  for (const json::value& article : data.at("data").as_array()) {
    for (const json::value& paragraph : article.at("paragraphs").as_array()) {
      auto context = std::make_unique<std::string>(text_of(paragraph.at("context")));
      for (const json::value& item : paragraph.at("qas").as_array()) {
        items_[file][text_of(item.at("id"))] = {text_of(item.at("question")), context.get()};
      }
      paragraphs_[file].push_back(std::move(context));
    }
  }
}

std::string SquadTexts::document(std::size_t first, std::size_t count) const {
  std::string text;
  for (std::size_t i = first; i < first + count; ++i) {
    if (i > first) text += '\n';
    text += *paragraphs_.at("1.1").at(i);
  }
  return text;
}

std::vector<GoldenCase> read_golden_cases(const std::string& name, Mode mode,
                                          const SquadTexts* texts) {
  std::ifstream file(LAMBERT_SOURCE_DIR "/tests/qa/data/" + name);
  if (!file) throw std::runtime_error("tests/qa/data/" + name + " is missing");
  std::vector<GoldenCase> cases;
  for (std::string text; std::getline(file, text);) {
    const json::value value = parse_json(text, name, ErrorCode::kInvalidInput);
    const json::object& line = value.as_object();
    GoldenCase golden;
    golden.label = text.substr(0, text.find(",\"a\":"));
    if (!fill_texts(line, texts, golden.question)) continue;
    golden.question.parameters = parameters_of(line.at("p").as_object(), mode);
    for (const json::value& a : line.at("a").as_array()) {
      golden.expected.push_back({text_of(a.at(0)), a.at(1).to_number<double>(),
                                 a.at(2).to_number<std::size_t>(),
                                 a.at(3).to_number<std::size_t>()});
    }
    golden.complete = line.contains("all");
    if (line.contains("no")) golden.no_answer_score = line.at("no").to_number<double>();
    cases.push_back(std::move(golden));
  }
  return cases;
}

std::string difference(const GoldenCase& golden, const Result& result) {
  std::ostringstream out;
  if (static_cast<std::int64_t>(result.answers.size()) > golden.question.parameters.top_k) {
    out << "\n  more than top_k answers";
  }
  const auto low = [&](const Answer& a) {
    return a.score < golden.question.parameters.score_threshold.value_or(a.score);
  };
  if (std::any_of(result.answers.begin(), result.answers.end(), low)) {
    print(out, "an answer below score_threshold", result.answers);
  }
  if ((golden.complete && result.answers.size() != golden.expected.size()) ||
      !same_answers(golden.expected, result.answers)) {
    print(out, "expected", golden.expected);
    print(out, "found", result.answers);
  }
  if (golden.no_answer_score &&
      !(std::abs(result.no_answer_score.value_or(NAN) - *golden.no_answer_score) <= kTolerance)) {
    out << "\n  no_answer_score: expected " << *golden.no_answer_score << ", found "
        << result.no_answer_score.value_or(NAN);
  }
  return out.str().empty() ? "" : golden.label + out.str();
}

}  // namespace lambert::test
