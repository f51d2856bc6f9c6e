#include "wire/receipt.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/json.h"
#include "wire/json_writer.h"
#include "wire/question_line.h"
#include "wire/result_line.h"

namespace lambert {

namespace {

namespace json = boost::json;

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kMostBytes = std::size_t{256} << 20;
constexpr std::size_t kDigestDigits = 64;

struct DigestField {
  const char* name;
  std::string Receipt::*member;
};
constexpr DigestField kDigests[] = {{"model", &Receipt::model},
                                    {"input", &Receipt::input},
                                    {"parameters", &Receipt::parameters},
                                    {"answers", &Receipt::answers}};

std::string number_text(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", number);
  return text;
}

std::string number_text(const std::optional<std::int64_t>& number) {
  return number ? std::to_string(*number) : "null";
}

const char* name_of(bool flag) {
  return flag ? "true" : "false";
}

[[noreturn]] void refuse(std::string_view source, std::string_view field, std::string_view found,
                         std::string_view expected) {
  fail(ErrorCode::kInvalidInput, source, ": ", field, " is ", found, ", expected ", expected,
       "; a receipt is what lambert ask --json --receipt writes");
}

// Null where there is no such member.
const json::value* find(const json::object& object, std::string_view name) {
  return object.if_contains(name);
}

std::string kind_of(const json::value* value) {
  return value == nullptr ? "missing" : std::string(json_kind(*value));
}

const json::object& object_of(const json::object& object, std::string_view name,
                              std::string_view source) {
  const json::value* value = find(object, name);
  if (value == nullptr || !value->is_object()) refuse(source, name, kind_of(value), "an object");
  return value->get_object();
}

std::string text_of(const json::object& object, std::string_view name, std::string_view source) {
  const json::value* value = find(object, name);
  if (value == nullptr || !value->is_string()) refuse(source, name, kind_of(value), "a string");
  const json::string& text = value->get_string();
  return {text.data(), text.size()};
}

double number_of(const json::object& object, std::string_view name, std::string_view source) {
  const json::value* value = find(object, name);
  if (value == nullptr || !value->is_number()) refuse(source, name, kind_of(value), "a number");
  return value->to_number<double>();
}

std::size_t offset_of(const json::object& object, std::string_view name, std::string_view source) {
  const double number = number_of(object, name, source);
  if (!(number >= 0 && number <= 0x1p53 && number == std::floor(number))) {
    refuse(source, name, number_text(number), "an integer of 0 or more");
  }
  return static_cast<std::size_t>(number);
}

std::string digest_of(const json::object& object, std::string_view name, std::string_view source) {
  std::string digest = text_of(object, name, source);
  const bool plain = digest.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (digest.size() != kDigestDigits || !plain) {
    refuse(source, name, quote(digest, 80), "64 hexadecimal digits");
  }
  return digest;
}

std::vector<Answer> read_answers(const json::object& object, std::string_view source) {
  const json::value* value = find(object, "answers");
  if (value == nullptr || !value->is_array()) refuse(source, "answers", kind_of(value), "an array");
  std::vector<Answer> answers;
  for (const json::value& each : value->get_array()) {
    if (!each.is_object()) refuse(source, "an element of answers", json_kind(each), "an object");
    const json::object& fields = each.get_object();
    answers.push_back({text_of(fields, "answer", source), number_of(fields, "score", source),
                       offset_of(fields, "start", source), offset_of(fields, "end", source)});
  }
  return answers;
}

std::optional<std::string> optional_text(const json::object& object, std::string_view name,
                                         std::string_view source) {
  if (find(object, name) == nullptr) return std::nullopt;
  return text_of(object, name, source);
}

}  // namespace

std::string input_text(std::string_view question, std::string_view context) {
  std::string text = std::to_string(question.size()) + "\n";
  text += question;
  text += context;
  return text;
}

std::string parameters_text(const Parameters& p) {
  const std::string threshold = p.score_threshold ? number_text(*p.score_threshold) : "null";
  return "\"mode\":\"" + std::string(mode_name(p.mode)) +
         "\",\"top_k\":" + std::to_string(p.top_k) +
         ",\"max_seq_len\":" + number_text(p.max_seq_len) +
         ",\"doc_stride\":" + number_text(p.doc_stride) +
         ",\"max_answer_len\":" + number_text(p.max_answer_len) +
         ",\"max_question_len\":" + std::to_string(p.max_question_len) +
         ",\"handle_impossible_answer\":" + name_of(p.handle_impossible_answer) +
         ",\"align_to_words\":" + name_of(p.align_to_words) +
         ",\"n_best_size\":" + std::to_string(p.n_best_size) +
         ",\"null_score_diff_threshold\":" + number_text(p.null_score_diff_threshold) +
         ",\"score_threshold\":" + threshold + ",\"offset_type\":\"" +
         std::string(offset_type_name(p.offset_type)) + "\"";
}

std::string receipt_line(const Result& result, const Receipt& receipt, const Question& question) {
  std::string line = result_line("", result);
  line.pop_back();  // }
  line += ",\"receipt\":{\"format\":" + std::to_string(kFormat) + ",\"engine\":";
  append_json_string(line, receipt.engine);
  line += ",\"precision\":";
  append_json_string(line, receipt.precision);
  for (const DigestField& digest : kDigests) {
    line += std::string(",\"") + digest.name + "\":\"" + receipt.*digest.member + '"';
  }
  line += ",\"replay\":{\"question\":";
  append_json_string(line, question.question);
  line += ",\"context\":";
  append_json_string(line, question.context);
  return line + "," + parameters_text(question.parameters) + "}}}";
}

ReceiptLine read_receipt_line(std::string_view text, std::string_view source) {
  JsonLimits limits;
  limits.max_bytes = kMostBytes;
  limits.refuse_duplicate_keys = true;  // nothing may stand behind what is verified
  const json::value value = parse_json(text, source, ErrorCode::kInvalidInput, limits);
  if (!value.is_object()) refuse(source, "it", json_kind(value), "an object");
  const json::object& line = value.get_object();
  const json::object& fields = object_of(line, "receipt", source);
  const double format = number_of(fields, "format", source);
  if (format != static_cast<double>(kFormat)) {
    refuse(source, "format", number_text(format), "1, which this version reads");
  }
  ReceiptLine read;
  read.answers = read_answers(line, source);
  read.receipt.engine = text_of(fields, "engine", source);
  read.receipt.precision = text_of(fields, "precision", source);
  for (const DigestField& digest : kDigests) {
    read.receipt.*digest.member = digest_of(fields, digest.name, source);
  }
  const json::object& replay = object_of(fields, "replay", source);
  read.question = optional_text(replay, "question", source);
  read.context = optional_text(replay, "context", source);
  try {
    read_parameters(replay, source, read.parameters);
  } catch (const FieldError& error) {
    throw Error(ErrorCode::kInvalidInput, error.what());
  }
  return read;
}

bool same_answers(const std::vector<Answer>& a, const std::vector<Answer>& b) {
  return std::ranges::equal(a, b, [](const Answer& x, const Answer& y) {
    return x.answer == y.answer && x.start == y.start && x.end == y.end &&
           std::fabs(x.score - y.score) <= 1e-12 * std::fabs(x.score) + 1e-300;
  });
}

}  // namespace lambert
