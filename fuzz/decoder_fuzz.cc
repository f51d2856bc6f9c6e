// Any parameters, context, tokens and logits: windows cover the context, and answers keep their
// promises.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "qa/code_points.h"
#include "qa/decoder.h"
#include "qa/offsets.h"

namespace {

using namespace lambert;

void require(bool condition) {
  if (!condition) std::abort();
}

// Bytes of the input; zeros behind its end.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  bool empty() const { return at_ >= size_; }
  std::uint8_t byte() { return empty() ? std::uint8_t{0} : data_[at_++]; }
  std::int64_t small() { return static_cast<std::int8_t>(byte()); }
  float logit() {
    const std::uint8_t kind = byte();
    if (kind < 240) return static_cast<float>(kind) / 8 - 15;
    std::uint32_t bits = 0;
    for (int i = 0; i < 4; ++i) bits = bits << 8 | byte();
    return std::bit_cast<float>(bits);
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_, at_ = 0;
};

Parameters parameters_of(Input& in) {
  Parameters parameters;
  parameters.mode = static_cast<Mode>(in.byte() % 3);
  parameters.top_k = in.small();
  parameters.max_seq_len = in.small();
  parameters.doc_stride = in.small();
  const std::uint8_t flags = in.byte();
  if ((flags & 1) != 0) parameters.max_answer_len = in.small();
  if ((flags & 2) != 0) parameters.score_threshold = static_cast<double>(in.logit());
  parameters.handle_impossible_answer = (flags & 4) != 0;
  parameters.align_to_words = (flags & 8) != 0;
  if ((flags & 16) != 0) parameters.n_best_size = in.small();
  if ((flags & 32) != 0) parameters.null_score_diff_threshold = static_cast<double>(in.logit());
  return parameters;
}

// Tokens of one to four letters of one to four bytes, with or without a space between them.
void fill_context(Input& in, std::string& text, Encoding& encoding) {
  static constexpr const char* kLetters[] = {"a",      "A",          "\u03a3", "\u0130",
                                             "\u20ac", "\U0001F600", ".",      "b"};
  std::uint32_t at = 0, word = 0;
  for (std::size_t count = in.byte(); count > 0; --count) {
    const std::uint8_t shape = in.byte();
    if ((shape & 4) != 0) {
      text += ' ';
      ++at;
      ++word;
    }
    encoding.ids.push_back(shape);
    encoding.word.push_back(word);
    encoding.start.push_back(at);
    for (int letters = shape & 3; letters >= 0; --letters, ++at) {
      text += kLetters[(shape >> 3 ^ letters) & 7];
    }
    encoding.end.push_back(at);
  }
}

void add_window(Input& in, const WindowPlan& plan, std::size_t index, Decoder& decoder) {
  Window window;
  window.first_token = plan.begin(index);
  window.context_tokens = plan.end(index) - plan.begin(index);
  window.context_begin = 2 + plan.question_tokens;
  window.allowed.assign(plan.tokens(index), 0);
  window.allowed[0] = 1;
  std::fill_n(window.allowed.begin() + static_cast<std::ptrdiff_t>(window.context_begin),
              window.context_tokens, std::uint8_t{1});
  std::vector<float> start, end;
  for (std::size_t i = 0; i < window.allowed.size(); ++i) {
    start.push_back(in.logit());
    end.push_back(in.logit());
  }
  decoder.add(window, start, end);
}

void check(const Result& result, const std::string& text, const ResolvedParameters& parameters) {
  const std::vector<Answer>& answers = result.answers;
  require(answers.size() <= parameters.top_k);
  std::vector<Answer> bytes = answers;
  convert_offsets(text, OffsetType::kUtf8, bytes);
  const CodePointIndex index(text);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    require(answers[i].start <= answers[i].end && answers[i].end <= index.size());
    require(answers[i].answer == index.slice(answers[i].start, answers[i].end));
    require(answers[i].answer == text.substr(bytes[i].start, bytes[i].end - bytes[i].start));
    const bool first_is_chosen = parameters.mode == Mode::kSquad;  // by the threshold
    require(i < (first_is_chosen ? 2 : 1) || !(answers[i].score > answers[i - 1].score));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  try {
    const ResolvedParameters parameters = resolve(parameters_of(in), std::nullopt, 512);
    std::string text;
    Encoding encoding;
    const std::size_t question_tokens = in.byte() % 16;
    fill_context(in, text, encoding);
    const WindowPlan plan = plan_windows(question_tokens, encoding.size(), 3, parameters);
    require(plan.end(plan.count - 1) == encoding.size());
    const auto decoder = make_decoder(parameters, text, encoding);
    for (std::size_t k = 0; k < plan.count && !(k > 0 && in.empty()); ++k) {
      add_window(in, plan, k, *decoder);
      if (k % 8 == 0) check(decoder->result(), text, parameters);
    }
    check(decoder->result(), text, parameters);
  } catch (const Error&) {
  }
  return 0;
}
