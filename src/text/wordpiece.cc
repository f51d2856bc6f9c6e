#include "text/wordpiece.h"

#include "base/error.h"

namespace lambert {

WordPiece::WordPiece(std::span<const VocabularyEntry> entries, const WordPieceOptions& options,
                     std::string_view source)
    : vocabulary_(entries, options.continuing_subword_prefix),
      max_chars_(options.max_input_chars_per_word) {
  const auto unk = vocabulary_.id(options.unk_token);
  if (!unk) {
    fail(ErrorCode::kInvalidModel, source, ": the unknown token ", quote(options.unk_token),
         " is not among the ", vocabulary_.size(), " tokens of the vocabulary");
  }
  unk_id_ = *unk;
}

WordPiece::WordPiece(FlatReader& packed)
    : vocabulary_(packed),
      max_chars_(packed.u32(0, kMaxWordChars, "max_input_chars_per_word")),
      unk_id_(static_cast<std::int32_t>(packed.u32())) {}

void WordPiece::write(FlatWriter& packed) const {
  vocabulary_.write(packed);
  packed.u32(static_cast<std::uint32_t>(max_chars_));
  packed.u32(static_cast<std::uint32_t>(unk_id_));
}

void WordPiece::split(std::string_view word, Scratch& scratch) const {
  scratch.parts.clear();
  for (std::size_t begin = 0; begin < word.size();) {
    const Vocabulary::Match match =
        vocabulary_.longest(word.substr(begin), begin == 0, scratch.hashes);
    if (match.length == 0) {
      scratch.parts.assign(1, {unk_id_, 0, word.size()});
      return;
    }
    scratch.parts.push_back({match.id, begin, begin + match.length});
    begin += match.length;
  }
}

}  // namespace lambert
