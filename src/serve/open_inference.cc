#include "serve/open_inference.h"

#include <algorithm>
#include <array>

#include "wire/json_writer.h"

namespace lambert {

namespace json = boost::json;

namespace {

struct Output {
  std::string_view name, datatype;
};
constexpr std::array<Output, 4> kOutputs = {
    {{"answer", "BYTES"}, {"score", "FP32"}, {"start", "INT64"}, {"end", "INT64"}}};

[[noreturn]] void refuse(const std::string& pointer, const std::string& message) {
  throw RequestError(ErrorCode::kInvalidInput, 422, pointer,
                     (pointer.empty() ? "the request" : pointer) + ": " + message);
}

const json::array& array_of(const json::object& object, std::string_view name,
                            const std::string& at) {
  const json::value* value = object.if_contains(name);
  const std::string pointer = at + '/' + std::string(name);
  if (value == nullptr) refuse(pointer, "the field is missing");
  if (!value->is_array()) refuse(pointer, "must be an array");
  return value->get_array();
}

std::string_view text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  const auto* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string_view(*text) : std::string_view();
}

// The product of the shape; 0 where it is none of [N] and [N,1].
std::uint64_t elements(const json::array& shape) {
  if (shape.empty() || shape.size() > 2) return 0;
  if (shape.size() == 2 && shape[1] != 1) return 0;
  const auto* count = shape[0].if_int64();
  return count != nullptr && *count > 0 ? static_cast<std::uint64_t>(*count) : 0;
}

struct Tensor {
  const json::array* data = nullptr;
  std::string at;  // of its data
};

Tensor read_tensor(const json::object& request, std::string_view name) {
  const json::array& inputs = array_of(request, "inputs", "");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto* input = inputs[i].if_object();
    if (input == nullptr || text_at(*input, "name") != name) continue;
    const std::string at = "/inputs/" + std::to_string(i);
    if (text_at(*input, "datatype") != "BYTES") refuse(at + "/datatype", "must be \"BYTES\"");
    const json::array& data = array_of(*input, "data", at);
    if (elements(array_of(*input, "shape", at)) != data.size()) {
      refuse(at + "/shape", "must be [N] or [N,1], where N is " + std::to_string(data.size()) +
                                ", the number of elements in data");
    }
    return {&data, at + "/data"};
  }
  refuse("/inputs", "has no tensor " + std::string(name));
}

// The request as serve/ask.h knows it, one pair an input.
json::value pairs_of(const json::object& request, const Tensor& questions, const Tensor& contexts) {
  const std::size_t count = std::max(questions.data->size(), contexts.data->size());
  for (const Tensor& tensor : {questions, contexts}) {
    if (tensor.data->size() != count && tensor.data->size() != 1) {
      refuse(tensor.at, "has " + std::to_string(tensor.data->size()) + " elements, expected " +
                            std::to_string(count) + " or 1");
    }
  }
  json::array inputs;
  for (std::size_t i = 0; i < count; ++i) {
    const auto element = [i](const Tensor& tensor) {
      return (*tensor.data)[tensor.data->size() == 1 ? 0 : i];
    };
    inputs.push_back({{"question", element(questions)}, {"context", element(contexts)}});
  }
  json::object asked{{"inputs", std::move(inputs)}};
  if (const json::value* parameters = request.if_contains("parameters")) {
    asked["parameters"] = *parameters;
  }
  return asked;
}

// Where the request has what `pointer` names in that of pairs_of: "/inputs/3/context" is element 3
// of the data of a tensor, or its only one.
std::string place_of(std::string_view pointer, const Tensor& questions, const Tensor& contexts) {
  constexpr std::string_view kInputs = "/inputs/";
  if (!pointer.starts_with(kInputs)) return std::string(pointer);
  const std::string_view rest = pointer.substr(kInputs.size());
  const std::size_t end = rest.find('/');
  if (end == std::string_view::npos) return "/inputs";
  const Tensor& tensor = rest.substr(end) == "/question" ? questions : contexts;
  return tensor.at + '/' + (tensor.data->size() == 1 ? "0" : std::string(rest.substr(0, end)));
}

PendingAnswers submit_pairs(const json::object& request, const Answerer& answerer,
                            const AskSettings& settings, const AskLimits& limits) {
  const Tensor questions = read_tensor(request, "question");
  const Tensor contexts = read_tensor(request, "context");
  const json::value pairs = pairs_of(request, questions, contexts);
  try {
    return submit(pairs, answerer, settings, limits);
  } catch (const RequestError& error) {
    const std::string place = place_of(error.pointer(), questions, contexts);
    std::string message = error.what();
    if (message.starts_with(error.pointer())) message.replace(0, error.pointer().size(), place);
    throw RequestError(error.code(), error.status(), place, message);
  }
}

// The indices into kOutputs that the request wants.
std::vector<std::size_t> wanted_outputs(const json::object& request) {
  std::vector<std::size_t> wanted;
  const json::value* given = request.if_contains("outputs");
  if (given == nullptr || given->is_null() || (given->is_array() && given->get_array().empty())) {
    for (std::size_t i = 0; i < kOutputs.size(); ++i) wanted.push_back(i);
    return wanted;
  }
  const json::array& outputs = array_of(request, "outputs", "");
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string at = "/outputs/" + std::to_string(i);
    const auto* object = outputs[i].if_object();
    if (object == nullptr) refuse(at, "must be an object");
    const std::string_view name = text_at(*object, "name");
    const auto* found = std::find_if(kOutputs.begin(), kOutputs.end(),
                                     [&](const Output& output) { return output.name == name; });
    if (found == kOutputs.end()) {
      refuse(at + "/name", "must be answer, score, start or end");
    }
    wanted.push_back(static_cast<std::size_t>(found - kOutputs.begin()));
  }
  return wanted;
}

void append_element(std::string& out, std::size_t output, const Answer& answer) {
  switch (output) {
    case 0: return append_json_string(out, answer.answer);
    case 1: return append_json_number(out, static_cast<float>(answer.score));
    case 2: out += std::to_string(answer.start); return;
    default: out += std::to_string(answer.end);
  }
}

void append_output(std::string& out, std::size_t output, const std::vector<Answer>& best) {
  out += "{\"name\":\"" + std::string(kOutputs[output].name) + "\",\"datatype\":\"" +
         std::string(kOutputs[output].datatype) + "\",\"shape\":[" + std::to_string(best.size()) +
         "],\"data\":[";
  for (std::size_t i = 0; i < best.size(); ++i) {
    if (i > 0) out += ',';
    append_element(out, output, best[i]);
  }
  out += "]}";
}

std::string tensors_json(std::initializer_list<Output> tensors) {
  std::string out = "[";
  for (const Output& tensor : tensors) {
    if (out.size() > 1) out += ',';
    out += "{\"name\":\"" + std::string(tensor.name) + "\",\"datatype\":\"" +
           std::string(tensor.datatype) + "\",\"shape\":[-1]}";
  }
  return out + ']';
}

}  // namespace

std::string open_inference_server_json() {
  return R"({"name":"lambert","version":")" LAMBERT_VERSION R"(","extensions":[]})";
}

std::string open_inference_model_json(const ServiceSettings& settings) {
  std::string out = "{\"name\":";
  append_json_string(out, settings.model_id);
  return out + R"(,"versions":["1"],"platform":"lambert","inputs":)" +
         tensors_json({{"question", "BYTES"}, {"context", "BYTES"}}) +
         ",\"outputs\":" + tensors_json({kOutputs[0], kOutputs[1], kOutputs[2], kOutputs[3]}) + '}';
}

std::string open_inference(const json::value& value, const Answerer& answerer,
                           const ServiceSettings& settings, const AskLimits& limits,
                           AskStats& stats) {
  const auto* request = value.if_object();
  if (request == nullptr) refuse("", "must be an object with inputs");
  const std::vector<std::size_t> wanted = wanted_outputs(*request);
  PendingAnswers pending = submit_pairs(*request, answerer, settings.ask, limits);
  std::vector<Answer> best;
  for (std::size_t i = 0; i < pending.size(); ++i) {
    FoundAnswers found = pending.wait(i);
    best.push_back(found.answers.empty() ? Answer{} : std::move(found.answers[0].answer));
  }
  stats = pending.stats();
  std::string out = "{\"model_name\":";
  append_json_string(out, settings.model_id);
  out += ",\"model_version\":\"1\"";
  if (const json::value* id = request->if_contains("id"); id != nullptr && id->is_string()) {
    out += ",\"id\":" + scalar_json(*id);
  }
  out += ",\"outputs\":[";
  for (const std::size_t& output : wanted) {
    if (&output != wanted.data()) out += ',';
    append_output(out, output, best);
  }
  return out + "]}";
}

}  // namespace lambert
