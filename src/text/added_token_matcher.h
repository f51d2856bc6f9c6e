// Finds added tokens in normalised text while it streams by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "text/added_tokens.h"
#include "text/word_splitter.h"

namespace lambert {

// A sink between Normalizer and WordSplitter, for models with added tokens that are looked for in
// the normalised text. Holds at most the longest such token and one character.
class AddedTokenMatcher {
 public:
  AddedTokenMatcher(const AddedTokens& tokens, WordSplitter& words, Encoding& encoding)
      : tokens_(tokens), words_(words), encoding_(encoding) {}

  void put(char32_t c, std::uint32_t source);
  // The piece of text ends; what comes next is another one.
  void end_piece();

 private:
  void take_front();
  bool take_token(const TokenTrie::Match& match);
  void pass_on(std::size_t bytes);
  std::optional<std::uint32_t> start_of(const AddedToken& token, std::size_t behind) const;
  void note_passed(char32_t c, std::uint32_t source);
  void end_stripping();

  const AddedTokens& tokens_;
  WordSplitter& words_;
  Encoding& encoding_;
  std::string bytes_;                   // characters not yet decided, from head_ on
  std::vector<std::uint32_t> sources_;  // (bytes_.size())
  std::size_t head_ = 0;
  bool after_word_character_ = false;         // the last character passed is one
  std::optional<std::uint32_t> space_start_;  // of the whitespace passed just now
  std::uint32_t space_end_ = 0;               // and where it ends
  bool stripping_ = false;                    // the last token takes the whitespace that follows
  std::vector<std::size_t> strippers_;        // tokens that end where this whitespace ends
};

}  // namespace lambert
