// The pre-tokeniser of BERT: words end at whitespace, punctuation marks are words of their own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/normalizer.h"
#include "text/tokenizer.h"
#include "text/wordpiece.h"

namespace lambert {

// What normaliser and pre-tokeniser together do with one ASCII character.
struct AsciiAction {
  enum class Kind : std::uint8_t { kWord, kSpace, kPunctuation, kDrop };
  Kind kind = Kind::kWord;
  char byte = 0;  // normalised
};
using AsciiTable = std::array<AsciiAction, 128>;

AsciiTable make_ascii_table(const NormalizerOptions& options);

// A sink of normalised characters that cuts them into words, and those into tokens that it appends
// to an Encoding. Holds one word at a time, and of one that is too long only its number of
// characters. Refers to all of its arguments.
class WordSplitter {
 public:
  WordSplitter(const WordPiece& model, const AsciiTable& ascii, Encoding& encoding)
      : model_(model), ascii_(ascii), encoding_(encoding) {}

  void put(char32_t c, std::uint32_t source) {
    const CharRecord& record = char_record(c);
    if (record.has(kWhitespace)) {
      end_word();
    } else if (record.has(kPunctuation)) {
      end_word();
      append(c, source);
      end_word();
    } else {
      append(c, source);
    }
  }

  // Takes the ASCII characters of the text from `byte` on, before normalisation.
  std::size_t put_ascii(std::string_view text, std::size_t byte, std::uint32_t source);

  // To be called when a piece of text ends.
  void end_word();

  // An added token is a word of its own. The word before it has been ended.
  void added_token(std::int32_t id, std::uint32_t start, std::uint32_t end) {
    push(id, start, end);
    ++word_;
  }

 private:
  void append(char32_t c, std::uint32_t source);
  void append_ascii(const char* bytes, std::size_t size, std::uint32_t source);
  void note_sources();
  void push(std::int32_t id, std::uint32_t start, std::uint32_t end) {
    encoding_.ids.push_back(id);
    encoding_.start.push_back(start);
    encoding_.end.push_back(end);
    encoding_.word.push_back(word_);
  }

  const WordPiece& model_;
  const AsciiTable& ascii_;
  Encoding& encoding_;
  WordPiece::Scratch scratch_;

  std::uint32_t word_ = 0;   // number of the current word
  std::string bytes_;        // its first max_chars() characters, normalised
  std::size_t chars_ = 0;    // how many it has in all
  std::uint32_t first_ = 0;  // source of its first character
  std::uint32_t last_ = 0;   // and of the last one
  bool consecutive_ = true;  // byte i comes from source first_ + i, so sources_ is not used
  std::vector<std::uint32_t> sources_;  // (bytes_.size()) else
};

}  // namespace lambert
