// Added tokens: strings that become one token before (or after) the normaliser sees the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/flat.h"
#include "text/normalizer.h"
#include "text/token_trie.h"
#include "text/vocabulary.h"

namespace lambert {

inline constexpr std::size_t kMaxAddedTokenBytes = 1024;

struct AddedToken {
  std::string content;
  bool single_word = false;  // not next to \w
  bool lstrip = false;       // takes the whitespace on its left
  bool rstrip = false;       // and on its right
  bool normalized = true;    // is looked for in the normalised text
  bool special = false;

  bool operator==(const AddedToken&) const = default;
};

// Gives ids to added tokens as the `tokenizers` crate does: that of the model's vocabulary for a
// token that it has, else the next free one; an id written in a file is not looked at.
class AddedTokens {
 public:
  // `source` names the files in messages.
  explicit AddedTokens(std::string source) : source_(std::move(source)) {}

  // One call of the crate's add_tokens. Later flags of a token replace earlier ones, except
  // whether it is special.
  void add(std::span<const AddedToken> tokens, const Vocabulary& vocabulary);

  // Puts the tokens into the two tries. Throws kInvalidModel for a token without any character
  // after normalisation. `split_special_tokens`: special ones are ordinary text.
  void finish(const NormalizerOptions& options, bool split_special_tokens);

  // The same from what write() wrote after finish(); throws kInvalidModel. These are not used where
  // they lie: there is a handful of them, and a trie from outside could lead in circles.
  AddedTokens(FlatReader& packed, const NormalizerOptions& options);
  void write(FlatWriter& packed) const;

  // Whether this very token is there, flags included.
  bool contains(const AddedToken& token) const;
  const TokenTrie& raw() const { return raw_; }                // normalized: false
  const TokenTrie& normalized() const { return normalized_; }  // normalized: true
  const AddedToken& at(std::int32_t id) const { return by_id_.at(id); }
  // False for special tokens that are to be split.
  bool matches(const AddedToken& token) const {
    return !split_special_tokens_ || !specials_.contains(token.content);
  }

  const std::map<std::int32_t, AddedToken>& by_id() const { return by_id_; }
  std::int32_t max_id() const { return by_id_.empty() ? -1 : by_id_.rbegin()->first; }
  // The id of an added token or of one of the vocabulary; -1 without one.
  std::int32_t id(std::string_view content, const Vocabulary& vocabulary) const;

 private:
  std::string source_;
  std::map<std::string, std::int32_t, std::less<>> ids_;
  std::map<std::int32_t, AddedToken> by_id_;
  std::vector<AddedToken> special_tokens_, other_tokens_;  // in the order they came
  std::set<std::string, std::less<>> specials_;
  TokenTrie raw_, normalized_;
  bool split_special_tokens_ = false;
};

}  // namespace lambert
