// WordPiece: a word becomes the longest tokens that follow each other (Schuster & Nakajima 2012,
// as in BERT).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/vocabulary.h"

namespace lambert {

// A word may cost its length squared: each part of it may try all lengths. BERT has 100.
inline constexpr std::uint32_t kMaxWordChars = 1000;

struct WordPieceOptions {
  std::string unk_token = "[UNK]";
  std::string continuing_subword_prefix = "##";
  std::size_t max_input_chars_per_word = 100;  // code points; a longer word is unknown
};

// Part of a word, in bytes of its normalised text.
struct WordPart {
  std::int32_t id = 0;
  std::size_t begin = 0, end = 0;
};

// Immutable after construction.
class WordPiece {
 public:
  // `source` names the file in messages. Throws kInvalidModel when the vocabulary lacks the unknown
  // token.
  WordPiece(std::span<const VocabularyEntry> entries, const WordPieceOptions& options,
            std::string_view source);
  // A view of what write() wrote. Throws kInvalidModel.
  explicit WordPiece(FlatReader& packed);
  void write(FlatWriter& packed) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  std::size_t max_chars() const { return max_chars_; }
  std::int32_t unk_id() const { return unk_id_; }

  struct Scratch {
    std::vector<WordPart> parts;  // the result of split
    std::vector<std::uint64_t> hashes;
  };
  // Fills scratch.parts with the parts of a word of 1 to max_chars() code points; the unknown
  // token for all of it when one place has no match.
  void split(std::string_view word, Scratch& scratch) const;

 private:
  Vocabulary vocabulary_;
  std::size_t max_chars_;
  std::int32_t unk_id_ = 0;
};

}  // namespace lambert
