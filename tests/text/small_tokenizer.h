// A tokenizer of six tokens, to be changed and damaged.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/error.h"
#include "text/tokenizer.h"

namespace lambert {

inline constexpr char kSmallJson[] = R"({"version": "1.0", "added_tokens": [
  {"id": 3, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false,
   "normalized": false, "special": true}],
  "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                 "strip_accents": null, "lowercase": true},
  "pre_tokenizer": {"type": "BertPreTokenizer"},
  "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
  "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4, "##a": 5}}})";
inline constexpr char kAsItStands[] =
    R"({"tokenizer_class": "DistilBertTokenizer", "cls_token": "[CLS]"})";

inline std::unique_ptr<const Tokenizer> small_tokenizer() {
  return Tokenizer::create({.tokenizer_json = kSmallJson, .tokenizer_config_json = kAsItStands});
}

inline ErrorCode error_of(const TokenizerFiles& files, std::string* message = nullptr) {
  try {
    Tokenizer::create(files);
  } catch (const Error& error) {
    if (message != nullptr) *message = error.what();
    return error.code();
  }
  ADD_FAILURE() << "no error";
  return ErrorCode::kInternal;
}

// kSmallJson with one part replaced.
inline std::string changed(const std::string& from, const std::string& to) {
  std::string text = kSmallJson;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

}  // namespace lambert
