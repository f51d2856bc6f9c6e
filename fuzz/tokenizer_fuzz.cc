// Any text through a tokenizer whose vocabulary and added tokens make every branch reachable.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "base/utf8.h"
#include "text/tokenizer.h"

namespace {

constexpr char kJson[] = R"({"version": "1.0", "added_tokens": [
  {"id": 3, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false,
   "normalized": false, "special": true},
  {"id": 20, "content": "tok", "single_word": true, "lstrip": true, "rstrip": true,
   "normalized": false, "special": false},
  {"id": 21, "content": "a B", "single_word": false, "lstrip": true, "rstrip": true,
   "normalized": true, "special": false},
  {"id": 22, "content": " x", "single_word": true, "lstrip": false, "rstrip": false,
   "normalized": true, "special": false}],
  "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                 "strip_accents": null, "lowercase": true},
  "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": null,
  "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 10,
            "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4, "##a": 5, "e": 6,
                      "##e": 7, "ab": 8, "##ab": 9, "##b": 10, ".": 11}}})";

const lambert::Tokenizer& tokenizer() {
  static const auto tokenizer = lambert::Tokenizer::create(
      {.tokenizer_json = kJson,
       .tokenizer_config_json = R"({"tokenizer_class": "TokenizersBackend"})"});
  return *tokenizer;
}

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const lambert::Encoding encoding = tokenizer().encode(text);
    const std::size_t length = lambert::count_code_points(text);
    for (std::size_t i = 0; i < encoding.size(); ++i) {
      require(encoding.start[i] < encoding.end[i] && encoding.end[i] <= length);
      require(static_cast<std::size_t>(encoding.ids[i]) < tokenizer().vocab_size());
      require(i == 0 || encoding.word[i] - encoding.word[i - 1] <= 1);
    }
  } catch (const lambert::Error& error) {
    require(error.code() == lambert::ErrorCode::kInvalidInput);
    require(lambert::check_utf8(text).error_byte.has_value());
  }
  return 0;
}
