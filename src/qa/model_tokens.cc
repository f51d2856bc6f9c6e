#include "qa/model_tokens.h"

#include <algorithm>

#include "base/error.h"

namespace lambert {

void check_template(const LoadedModel& model, const std::string& path) {
  const EncoderConfig& config = model.config;
  for (const TemplatePiece& piece : model.tokenizer->pair_template()) {
    if (piece.id < 0 || static_cast<std::size_t>(piece.id) >= config.vocab_size) {
      fail(ErrorCode::kInvalidModel, path, ": the tokenizer's pair template has the special token ",
           quote(model.tokenizer->token(piece.id)), " with the id ", piece.id,
           ", but config.json's vocab_size is ", config.vocab_size,
           "; the tokenizer files are of another model or lack that token");
    }
    if (config.type_vocab_size == 0) continue;
    if (piece.type_id < 0 || static_cast<std::size_t>(piece.type_id) >= config.type_vocab_size) {
      fail(ErrorCode::kInvalidModel, path, ": the tokenizer's pair template uses token type ",
           piece.type_id, ", but config.json's type_vocab_size is ", config.type_vocab_size);
    }
  }
}

void check_ids(const LoadedModel& model, const Encoding& encoding) {
  for (const std::int32_t id : encoding.ids) {
    if (id < 0 || static_cast<std::size_t>(id) >= model.config.vocab_size) {
      fail(ErrorCode::kInvalidModel, "the tokenizer gives token ",
           quote(model.tokenizer->token(id)), " the id ", id, ", but config.json's vocab_size is ",
           model.config.vocab_size);
    }
  }
}

std::size_t special_tokens(const Tokenizer& tokenizer) {
  const auto& pieces = tokenizer.pair_template();
  return static_cast<std::size_t>(
      std::count_if(pieces.begin(), pieces.end(),
                    [](const auto& piece) { return piece.kind == TemplatePiece::Kind::kSpecial; }));
}

}  // namespace lambert
