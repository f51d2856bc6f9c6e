// Windows over a context whose tokens are its space-separated pieces, with logits made by hand.
#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "qa/decoder.h"

namespace lambert::test {

// "a b##c d" has the tokens a, b, c, d; b and c are of one word. ASCII only.
struct PlainContext {
  std::string text;
  Encoding encoding;

  explicit PlainContext(const std::string& marked) {
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < marked.size();) {
      const bool glued = marked.compare(i, 2, "##") == 0;
      if (glued) i += 2;
      if (!glued && i > 0) {
        text += marked[i++];  // the space
        ++word;
      }
      std::size_t end = i;
      while (end < marked.size() && marked[end] != ' ' && marked[end] != '#') ++end;
      encoding.ids.push_back(1);
      encoding.start.push_back(static_cast<std::uint32_t>(text.size()));
      text += marked.substr(i, end - i);
      encoding.end.push_back(static_cast<std::uint32_t>(text.size()));
      encoding.word.push_back(word);
      i = end;
    }
  }
};

// A window of [CLS] question [SEP] context [SEP] with one question token.
struct PlainWindow {
  static constexpr std::size_t kContextBegin = 3;

  Window window;
  std::vector<float> start, end;

  // Context tokens [first, first + count). Logits are `low` but where set; those of rows that must
  // not be read are high, so that a decoder that reads them is found out.
  PlainWindow(std::size_t first, std::size_t count, float low = -50) {
    window.ids.assign(count + 4, 1);
    window.type_ids.assign(count + 4, 0);
    window.allowed.assign(count + 4, 0);
    window.allowed[0] = 1;
    start.assign(count + 4, 1e6F);
    start[0] = -90;
    for (std::size_t i = 0; i < count; ++i) {
      window.allowed[kContextBegin + i] = 1;
      start[kContextBegin + i] = low;
    }
    end = start;
    window.context_begin = kContextBegin;
    window.context_tokens = count;
    window.first_token = first;
  }

  // By the token's index within the window's part of the context.
  float& start_of(std::size_t token) { return start[kContextBegin + token]; }
  float& end_of(std::size_t token) { return end[kContextBegin + token]; }
  void add_to(Decoder& decoder) const { decoder.add(window, start, end); }
};

// A window where one token is likely to begin and to end the answer.
inline PlainWindow peak(std::size_t first, std::size_t count, std::size_t token, float logit) {
  PlainWindow window(first, count);
  window.start_of(token) = window.end_of(token) = logit;
  return window;
}

inline ResolvedParameters parameters_of(Mode mode, std::size_t top_k) {
  Parameters parameters;
  parameters.mode = mode;
  ResolvedParameters resolved = resolve(parameters, std::nullopt, 512);
  resolved.top_k = top_k;
  return resolved;
}

// Also checks that the offsets are those of the answers' texts.
inline Result decode(const ResolvedParameters& parameters, const PlainContext& context,
                     const std::vector<PlainWindow>& windows) {
  const auto decoder = make_decoder(parameters, context.text, context.encoding);
  for (const PlainWindow& window : windows) window.add_to(*decoder);
  Result result = decoder->result();
  for (const Answer& a : result.answers) {
    EXPECT_EQ(a.answer, context.text.substr(a.start, a.end - a.start));
  }
  return result;
}

using Texts = std::vector<std::string>;

inline Texts texts_of(const Result& result) {
  Texts texts;
  for (const Answer& answer : result.answers) texts.push_back(answer.answer);
  return texts;
}

}  // namespace lambert::test
