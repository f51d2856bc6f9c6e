// A tokenizer of the BERT family: BertNormalizer, BertPreTokenizer, WordPiece.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/added_tokens.h"
#include "text/tokenizer.h"
#include "text/word_splitter.h"
#include "text/wordpiece.h"

namespace lambert {

// The ids, offsets and word ids are those of the `tokenizers` crate, version 0.22:
// added tokens are cut out of the raw text, what is left is normalised, cut into words and these
// into tokens.
class WordPieceTokenizer final : public Tokenizer {
 public:
  struct Parts {
    WordPiece model;
    AddedTokens added_tokens;  // finished with the same options
    NormalizerOptions normalizer;
    std::vector<TemplatePiece> pair_template;
    std::optional<std::int32_t> cls_id;
    std::optional<std::size_t> model_max_length;
  };
  explicit WordPieceTokenizer(Parts parts);
  // A view of what pack() wrote. Throws kInvalidModel.
  explicit WordPieceTokenizer(FlatReader& packed);

  Encoding encode(std::string_view text) const override;
  std::size_t vocab_size() const override;
  std::string_view token(std::int32_t id) const override;
  std::string pack() const override;

 private:
  NormalizerOptions normalizer_;
  WordPiece model_;
  AddedTokens added_tokens_;
  AsciiTable ascii_;
};

}  // namespace lambert
