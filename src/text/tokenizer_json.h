// The parts of a tokenizer.json (the `tokenizers` crate's own format, version 1.0).
#pragma once

#include <vector>

#include "text/added_tokens.h"
#include "text/json_fields.h"
#include "text/normalizer.h"
#include "text/tokenizer.h"
#include "text/vocabulary.h"
#include "text/wordpiece.h"

namespace lambert {

// Each throws kInvalidModel for what is damaged and kUnsupportedModel, naming it, for a part of
// another kind. `root` is the whole document; views into it are returned.

// The model, which has to be a WordPiece. Also checks the version.
struct WordPieceJson {
  WordPieceOptions options;
  std::vector<VocabularyEntry> vocabulary;
};
WordPieceJson read_wordpiece(const JsonFields& root);

// BertNormalizer, Lowercase, a Sequence of one of them, or none.
NormalizerOptions read_normalizer(const JsonFields& root);

// Only BertPreTokenizer, alone or as the one member of a Sequence.
void check_pre_tokenizer(const JsonFields& root);

std::vector<AddedToken> read_added_tokens(const JsonFields& root);

// The `pair` of TemplateProcessing or BertProcessing; question and context alone without either.
std::vector<TemplatePiece> read_pair_template(const JsonFields& root);

// [CLS] question [SEP] context [SEP], with types 0 0 0 1 1.
std::vector<TemplatePiece> bert_pair_template(std::int32_t cls_id, std::int32_t sep_id);

}  // namespace lambert
