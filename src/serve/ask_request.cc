#include "serve/ask_request.h"

#include <utility>

#include "wire/json_writer.h"
#include "wire/question_line.h"

namespace lambert {

namespace json = boost::json;

namespace {

[[noreturn]] void refuse(ErrorCode code, const std::string& pointer, const std::string& message) {
  throw RequestError(code, http_status(code), pointer,
                     (pointer.empty() ? "the request" : pointer) + ": " + message);
}

[[noreturn]] void refuse_kind(const std::string& pointer, std::string_view expected,
                              const json::value& found) {
  refuse(ErrorCode::kInvalidInput, pointer,
         "must be " + std::string(expected) + ", found " + std::string(json_kind(found)));
}

std::string text_of(const json::value& value, const std::string& pointer) {
  const auto* text = value.if_string();
  if (text == nullptr) refuse_kind(pointer, "a string", value);
  if (text->empty()) refuse(ErrorCode::kInvalidInput, pointer, "is empty");
  return std::string(*text);
}

const json::array& array_of(const json::value& value, const std::string& pointer) {
  const auto* array = value.if_array();
  if (array == nullptr) refuse_kind(pointer, "an array", value);
  if (array->empty()) refuse(ErrorCode::kInvalidInput, pointer, "is empty");
  return *array;
}

// Null where the member is absent or null.
const json::value* find(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && !value->is_null() ? value : nullptr;
}

// The one of `names` that `object` has.
std::string_view one_of(const json::object& object, std::initializer_list<std::string_view> names,
                        const std::string& pointer) {
  std::string_view found;
  for (const std::string_view name : names) {
    if (find(object, name) == nullptr) continue;
    if (!found.empty()) {
      refuse(ErrorCode::kInvalidInput, pointer,
             "has both the fields " + quote(found) + " and " + quote(name) + "; give one of them");
    }
    found = name;
  }
  if (found.empty()) {
    const std::string_view name = *names.begin();
    const json::value* value = object.if_contains(name);  // null, or there is none
    const std::string at = pointer + '/' + std::string(name);
    if (value != nullptr) refuse_kind(at, "a string", *value);
    refuse(ErrorCode::kInvalidInput, at, "the field is missing");
  }
  return found;
}

void read_parameters_at(const json::object& object, const std::string& pointer,
                        Parameters& parameters) {
  try {
    read_parameters(object, pointer.empty() ? "the request" : pointer, parameters);
  } catch (const FieldError& error) {
    throw RequestError(error.code(), http_status(error.code()), pointer + '/' + error.field(),
                       error.what());
  }
}

Document read_document(const json::value& value, const std::string& pointer) {
  Document document;
  const auto* object = value.if_object();
  if (object == nullptr) {
    if (!value.is_string()) refuse_kind(pointer, "a string or an object", value);
    document.text = text_of(value, pointer);
    return document;
  }
  const json::value* text = object->if_contains("text");
  if (text == nullptr) {
    refuse(ErrorCode::kInvalidInput, pointer + "/text", "the field is missing");
  }
  document.text = text_of(*text, pointer + "/text");
  if (const json::value* id = find(*object, "id")) {
    if (id->is_structured()) refuse_kind(pointer + "/id", "a string or a number", *id);
    document.id = scalar_json(*id);
  }
  return document;
}

class Reader {
 public:
  explicit Reader(const AskSettings& settings) : settings_(settings) {}

  AskRequest read(const json::value& value) {
    const auto* object = value.if_object();
    if (object == nullptr) {
      if (!value.is_array()) refuse_kind("", "an object or an array", value);
      request_.shape = read_any(value, "", settings_.defaults);
    } else if (const json::value* inputs = find(*object, "inputs")) {
      bare_answers_ = true;
      request_.shape = read_any(*inputs, "/inputs", shared_parameters(*object));
    } else if (const json::value* instances = find(*object, "instances")) {
      const Parameters parameters = shared_parameters(*object);
      array_of(*instances, "/instances");
      request_.shape = read_any(*instances, "/instances", parameters);
      request_.shape.kind = ReplyShape::Kind::kPredictions;
    } else {
      request_.shape = read_object(*object, "", settings_.defaults);
    }
    return std::move(request_);
  }

 private:
  // What stands beside "inputs" counts for all of them, "parameters" more than the rest.
  Parameters shared_parameters(const json::object& object) const {
    Parameters parameters = settings_.defaults;
    read_parameters_at(object, "", parameters);
    if (const json::value* given = find(object, "parameters")) {
      if (!given->is_object()) refuse_kind("/parameters", "an object", *given);
      read_parameters_at(given->get_object(), "/parameters", parameters);
    }
    return parameters;
  }

  ReplyShape read_any(const json::value& value, const std::string& at, const Parameters& defaults) {
    if (const auto* object = value.if_object()) return read_object(*object, at, defaults);
    ReplyShape shape{ReplyShape::Kind::kArray, 0, {}};
    const json::array& array = array_of(value, at);
    for (std::size_t i = 0; i < array.size(); ++i) {
      const std::string place = at + '/' + std::to_string(i);
      const auto* object = array[i].if_object();
      if (object == nullptr) refuse_kind(place, "an object", array[i]);
      shape.items.push_back(read_object(*object, place, defaults));
    }
    return shape;
  }

  ReplyShape read_object(const json::object& object, const std::string& at,
                         const Parameters& defaults) {
    Query query;
    query.object = at;
    query.bare_answers = bare_answers_;
    query.parameters = defaults;
    read_parameters_at(object, at, query.parameters);
    const std::string_view asked = one_of(object, {"question", "questions"}, at);
    const std::string_view over = one_of(object, {"context", "contexts", "documents"}, at);
    query.question_at = at + '/' + std::string(asked);
    query.context_at = at + '/' + std::string(over);
    query.says_document = over != "context";
    query.documents = read_documents(object.at(over), query.context_at, query.says_document);
    const json::value& question = object.at(asked);
    if (asked == "question") return add(std::move(query), question);
    ReplyShape shape{ReplyShape::Kind::kArray, 0, {}};
    const json::array& questions = array_of(question, query.question_at);
    for (std::size_t i = 0; i < questions.size(); ++i) {
      Query one = query;
      one.question_at += '/' + std::to_string(i);
      shape.items.push_back(add(std::move(one), questions[i]));
    }
    return shape;
  }

  std::shared_ptr<const std::vector<Document>> read_documents(const json::value& value,
                                                              const std::string& at, bool several) {
    auto documents = std::make_shared<std::vector<Document>>();
    if (!several) {
      documents->push_back({text_of(value, at), ""});
      return documents;
    }
    const json::array& array = array_of(value, at);
    if (array.size() > settings_.max_pairs) refuse_pairs(at);
    for (std::size_t i = 0; i < array.size(); ++i) {
      documents->push_back(read_document(array[i], at + '/' + std::to_string(i)));
    }
    return documents;
  }

  ReplyShape add(Query query, const json::value& question) {
    query.question = text_of(question, query.question_at);
    AskStats& stats = request_.stats;
    stats.questions += 1;
    stats.pairs += query.documents->size();
    stats.question_bytes += query.question.size();
    std::size_t context_bytes = 0;
    for (const Document& document : *query.documents) context_bytes += document.text.size();
    stats.context_bytes += context_bytes;
    if (stats.pairs > settings_.max_pairs) refuse_pairs(query.question_at);
    pair_bytes_ += context_bytes + query.documents->size() * query.question.size();
    if (pair_bytes_ > settings_.max_pair_bytes) {
      refuse(ErrorCode::kLimitExceeded, query.question_at,
             "questions and their texts have more than " +
                 std::to_string(settings_.max_pair_bytes) +
                 " bytes, a text counted for each question over it; send several requests");
    }
    request_.queries.push_back(std::move(query));
    return {ReplyShape::Kind::kQuery, request_.queries.size() - 1, {}};
  }

  [[noreturn]] void refuse_pairs(const std::string& at) const {
    refuse(ErrorCode::kLimitExceeded, at,
           "more than " + std::to_string(settings_.max_pairs) +
               " pairs of a question and a text; send several requests");
  }

  const AskSettings& settings_;
  AskRequest request_;
  bool bare_answers_ = false;
  std::size_t pair_bytes_ = 0;  // no overflow: it is compared after each request's few MB
};

}  // namespace

std::string Query::place_of(std::string_view message, std::size_t document,
                            const json::value& request) const {
  const std::string word(
      message.substr(0, message.find_first_not_of("abcdefghijklmnopqrstuvwxyz_")));
  if (word == "question") return question_at;
  if (word == "context") return context_at + (says_document ? '/' + std::to_string(document) : "");
  for (const std::string& place : {object + '/' + word, "/parameters/" + word, '/' + word}) {
    json::error_code error;
    if (!word.empty() && request.find_pointer(place, error) != nullptr) return place;
  }
  return object;
}

AskRequest read_request(const json::value& request, const AskSettings& settings) {
  return Reader(settings).read(request);
}

}  // namespace lambert
