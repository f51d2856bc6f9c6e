#include "eval/squad_metrics.h"

#include <algorithm>
#include <unordered_map>

#include "base/python_lower.h"
#include "base/utf8.h"
#include "eval/python_text.h"

namespace lambert {

namespace {

using Words = std::vector<std::u32string>;

bool is_punctuation(char32_t c) {  // string.punctuation
  return c < 0x80 && c > ' ' && c != 0x7F && (!python_is_word(c) || c == '_');
}

// \b(a|an|the)\b: the letters are all of a run of \w.
bool is_article(std::u32string_view run) {
  return run == U"a" || run == U"an" || run == U"the";
}

Words normal_words(std::string_view text) {
  std::u32string letters = python_lower(decode_utf8(text));
  letters.erase(std::remove_if(letters.begin(), letters.end(), is_punctuation), letters.end());
  Words words;
  std::u32string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (std::size_t i = 0; i < letters.size();) {
    std::size_t end = i;
    while (end < letters.size() && python_is_word(letters[end])) ++end;
    const std::u32string_view run(letters.data() + i, end - i);
    if (end == i) {
      if (python_is_space(letters[i])) {
        end_word();
      } else {
        word += letters[i];
      }
      ++end;
    } else if (is_article(run)) {
      end_word();  // a space takes its place
    } else {
      word += run;
    }
    i = end;
  }
  end_word();
  return words;
}

AnswerScore score_words(const Words& answer, const Words& reference, bool v2) {
  AnswerScore score;
  score.exact = answer == reference ? 1 : 0;
  if (answer.empty() || reference.empty()) {
    score.f1 = v2 ? score.exact : 0;
    return score;
  }
  std::unordered_map<std::u32string_view, int> counts;
  for (const auto& word : reference) ++counts[word];
  int common = 0;
  for (const auto& word : answer) {
    const auto found = counts.find(word);
    if (found != counts.end() && found->second-- > 0) ++common;
  }
  if (common == 0) return score;
  const double precision = 1.0 * common / static_cast<double>(answer.size());
  const double recall = 1.0 * common / static_cast<double>(reference.size());
  score.f1 = (2 * precision * recall) / (precision + recall);
  return score;
}

}  // namespace

std::string normalize_answer(std::string_view text) {
  std::u32string joined;
  for (const auto& word : normal_words(text)) {
    if (!joined.empty()) joined += U' ';
    joined += word;
  }
  return encode_utf8(joined);
}

AnswerScore score_answer(std::string_view answer, std::string_view reference, bool v2) {
  return score_words(normal_words(answer), normal_words(reference), v2);
}

AnswerScore score_answer(std::string_view answer, const std::vector<std::string>& references,
                         bool v2) {
  const Words words = normal_words(answer);
  AnswerScore best;
  bool any = false;
  for (const std::string& reference : references) {
    const Words reference_words = normal_words(reference);
    if (v2 && reference_words.empty()) continue;
    any = true;
    const AnswerScore score = score_words(words, reference_words, v2);
    best.exact = std::max(best.exact, score.exact);
    best.f1 = std::max(best.f1, score.f1);
  }
  return any ? best : score_words(words, {}, v2);
}

}  // namespace lambert
