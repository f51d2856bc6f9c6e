// Text -> token ids with the place in the text that each came from.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lambert {

// Tokens of one text, without the special tokens of a template. All vectors have one element a
// token.
struct Encoding {
  std::vector<std::int32_t> ids;
  std::vector<std::uint32_t> start, end;  // code points of the text, half-open
  std::vector<std::uint32_t> word;        // index of the pre-token the token belongs to

  std::size_t size() const { return ids.size(); }
};

// One element of a pair template such as [CLS] A [SEP] B [SEP].
struct TemplatePiece {
  enum class Kind { kSpecial, kQuestion, kContext };
  Kind kind = Kind::kSpecial;
  std::int32_t id = 0;  // of a special token
  std::int32_t type_id = 0;
};

// The contents (not the paths) of a model's tokenizer files; absent where there is no such file.
struct TokenizerFiles {
  std::optional<std::string_view> tokenizer_json = {}, vocab_txt = {};
  std::optional<std::string_view> tokenizer_config_json = {};
  std::optional<std::string_view> special_tokens_map_json = {}, added_tokens_json = {};
};

// Immutable after construction, so safe for concurrent use.
class Tokenizer {
 public:
  // Prefers tokenizer.json, else vocab.txt. Throws kNotFound when neither is given, kInvalidModel
  // for damaged ones, kUnsupportedModel naming the part that is not supported, kLimitExceeded
  // naming the limit.
  static std::unique_ptr<const Tokenizer> create(const TokenizerFiles& files);

  // A view of what pack() gave, which must outlive it and be aligned to kFlatAlignment; nothing is
  // parsed. Whatever the bytes, nothing outside of them is read, and ids come with no promise.
  // Throws kInvalidModel, and kUnsupportedModel for what a later version packed.
  static std::unique_ptr<const Tokenizer> open(std::span<const std::byte> packed,
                                               std::string_view source);

  virtual ~Tokenizer() = default;

  // `text` must be valid UTF-8; throws kInvalidInput with the byte offset where it is not.
  // Linear time.
  virtual Encoding encode(std::string_view text) const = 0;

  virtual std::size_t vocab_size() const = 0;                 // added tokens included
  virtual std::string_view token(std::int32_t id) const = 0;  // "" for an id without a token

  virtual std::string pack() const = 0;  // deterministic

  // The types are all 0 for a tokenizer that has no token_type_ids among its model_input_names: the
  // question-answering pipeline of transformers 5.2.0 then passes none. Those names are what
  // tokenizer_config.json says; without them, BERT's own classes have types, DistilBertTokenizer
  // has none, and neither has any class other than BertTokenizer and MobileBertTokenizer that finds
  // a tokenizer.json.
  const std::vector<TemplatePiece>& pair_template() const { return pair_template_; }
  std::optional<std::int32_t> cls_id() const { return cls_id_; }
  // tokenizer_config.json's model_max_length, absent when it is missing or absurd (1e30).
  std::optional<std::size_t> model_max_length() const { return model_max_length_; }

 protected:
  std::vector<TemplatePiece> pair_template_;
  std::optional<std::int32_t> cls_id_;
  std::optional<std::size_t> model_max_length_;
};

}  // namespace lambert
