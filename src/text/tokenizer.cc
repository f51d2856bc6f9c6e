#include "text/tokenizer.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "text/json_fields.h"
#include "text/tokenizer_config.h"
#include "text/tokenizer_json.h"
#include "text/vocab_txt.h"
#include "text/wordpiece_tokenizer.h"

namespace lambert {

namespace {

// The classes of transformers 5.2.0 that are BertTokenizer under another name. Only the first two
// rebuild a tokenizer.json from tokenizer_config.json; any other name means: as it stands.
bool is_bert_class(const std::string& name) {
  return name.empty() || name == "BertTokenizer" || name == "MobileBertTokenizer";
}

bool reads_vocab_txt(const std::string& name) {
  return is_bert_class(name) || name == "DistilBertTokenizer" || name == "ElectraTokenizer" ||
         name == "SqueezeBertTokenizer" || name == "ConvBertTokenizer" ||
         name == "LayoutLMTokenizer";
}

std::string_view vocabulary_source(const TokenizerFiles& files) {
  return files.tokenizer_json ? "tokenizer.json: model.vocab" : "vocab.txt";
}

// The files that added tokens may be of; they are put together before they are looked at.
std::string added_token_source(const TokenizerFiles& files) {
  std::string names;
  for (const auto& [file, name] : {std::pair{files.tokenizer_json, "tokenizer.json"},
                                   {files.tokenizer_config_json, "tokenizer_config.json"},
                                   {files.special_tokens_map_json, "special_tokens_map.json"},
                                   {files.added_tokens_json, "added_tokens.json"}}) {
    if (file) names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return names + ": added tokens";
}

// What BertTokenizer.__init__ makes of its arguments.
NormalizerOptions bert_normalizer(const TokenizerConfig& config) {
  const bool lowercase =
      config.do_lower_case.value_or(config.tokenizer_class == "DistilBertTokenizer");
  return {.clean_text = true,
          .handle_chinese_chars = config.tokenize_chinese_chars,
          .strip_accents = config.strip_accents.value_or(lowercase),
          .lowercase = lowercase};
}

void add_bert_defaults(TokenizerConfig& config) {
  std::vector<std::pair<std::string, AddedToken>> tokens;
  const auto take = [&](const char* name) {
    if (const AddedToken* token = config.special_token(name)) tokens.emplace_back(name, *token);
  };
  take("bos_token");
  take("eos_token");
  for (const auto& [name, content] : {std::pair{"unk_token", "[UNK]"},
                                      {"sep_token", "[SEP]"},
                                      {"pad_token", "[PAD]"},
                                      {"cls_token", "[CLS]"},
                                      {"mask_token", "[MASK]"}}) {
    const bool is_null =
        std::find(config.nulls.begin(), config.nulls.end(), name) != config.nulls.end();
    const std::string_view needed(name);
    if (is_null && needed != "pad_token" && needed != "mask_token") {
      fail(ErrorCode::kInvalidModel, "tokenizer_config.json: ", name,
           ": null found, a token expected");
    }
    if (config.special_token(name) != nullptr) {
      take(name);
    } else if (!is_null) {
      tokens.emplace_back(name,
                          AddedToken{.content = content, .normalized = false, .special = true});
    }
  }
  const std::size_t standard = tokens.size();
  for (const auto& named : config.special_tokens) {
    const auto known = [&](const auto& token) { return token.first == named.first; };
    const auto end = tokens.begin() + static_cast<std::ptrdiff_t>(standard);
    if (std::none_of(tokens.begin(), end, known)) tokens.push_back(named);
  }
  config.special_tokens = std::move(tokens);
  config.has_token_types =
      config.has_token_types.value_or(config.tokenizer_class != "DistilBertTokenizer");
}

// What TokenizersBackend.__init__ adds to the tokens that `added` has already.
void add_configured_tokens(const TokenizerConfig& config, const Vocabulary& vocabulary,
                           AddedTokens& added) {
  std::vector<AddedToken> tokens;
  for (const auto& [id, token] : config.added_tokens) {
    if (!added.contains(token)) tokens.push_back(token);
  }
  std::set<std::string, std::less<>> contents;
  for (const auto& [id, token] : added.by_id()) contents.insert(token.content);
  for (const AddedToken& token : tokens) contents.insert(token.content);
  for (const auto& [name, token] : config.special_tokens) {
    if (contents.insert(token.content).second) tokens.push_back(token);
  }
  for (const AddedToken& token : config.extra_special_tokens) {
    if (contents.insert(token.content).second) tokens.push_back(token);
  }
  std::set<std::string_view> named;
  for (const auto& [name, token] : config.special_tokens) named.insert(token.content);
  for (AddedToken& token : tokens) token.special = token.special || named.contains(token.content);
  added.add(tokens, vocabulary);
}

std::unique_ptr<const Tokenizer> assemble(WordPiece model, AddedTokens added,
                                          const NormalizerOptions& normalizer,
                                          const TokenizerConfig& config,
                                          std::optional<std::vector<TemplatePiece>> pair) {
  added.finish(normalizer, config.split_special_tokens);
  const auto id_of = [&](const char* name) -> std::optional<std::int32_t> {
    const AddedToken* token = config.special_token(name);
    if (token == nullptr) return std::nullopt;
    return added.id(token->content, model.vocabulary());
  };
  const std::optional<std::int32_t> cls_id = id_of("cls_token");
  if (!pair) pair = bert_pair_template(cls_id.value(), id_of("sep_token").value());
  if (!config.has_token_types.value_or(false)) {
    for (TemplatePiece& piece : *pair) piece.type_id = 0;
  }
  return std::make_unique<WordPieceTokenizer>(
      WordPieceTokenizer::Parts{std::move(model), std::move(added), normalizer, std::move(*pair),
                                cls_id, config.model_max_length});
}

// BertTokenizer: of a tokenizer.json only the vocabulary and the added tokens count.
std::unique_ptr<const Tokenizer> create_bert(std::span<const VocabularyEntry> vocabulary,
                                             TokenizerConfig config, const TokenizerFiles& files) {
  add_bert_defaults(config);
  WordPiece model(vocabulary, {.unk_token = config.special_token("unk_token")->content},
                  vocabulary_source(files));
  AddedTokens added(added_token_source(files));
  add_configured_tokens(config, model.vocabulary(), added);
  return assemble(std::move(model), std::move(added), bert_normalizer(config), config,
                  std::nullopt);
}

std::map<std::int64_t, AddedToken> by_file_id(const JsonFields& root,
                                              const std::vector<AddedToken>& tokens) {
  std::map<std::int64_t, AddedToken> result;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string path = root.path_of("added_tokens");
    result[JsonFields{root.array("added_tokens")[i].as_object(), path}.id("id")] = tokens[i];
  }
  return result;
}

std::unique_ptr<const Tokenizer> create_from_json(const TokenizerFiles& files) {
  const boost::json::value document = parse_tokenizer_file(*files.tokenizer_json, "tokenizer.json");
  const JsonFields root{json_object(document, "tokenizer.json"), "tokenizer.json"};
  const WordPieceJson json = read_wordpiece(root);
  const std::vector<AddedToken> tokens = read_added_tokens(root);
  const TokenizerConfig config = read_tokenizer_config(files, by_file_id(root, tokens));
  if (is_bert_class(config.tokenizer_class)) return create_bert(json.vocabulary, config, files);

  const NormalizerOptions normalizer = read_normalizer(root);
  check_pre_tokenizer(root);
  std::vector<TemplatePiece> pair = read_pair_template(root);
  WordPiece model(json.vocabulary, json.options, vocabulary_source(files));
  AddedTokens added(added_token_source(files));
  added.add(tokens, model.vocabulary());
  add_configured_tokens(config, model.vocabulary(), added);
  return assemble(std::move(model), std::move(added), normalizer, config, std::move(pair));
}

}  // namespace

std::unique_ptr<const Tokenizer> Tokenizer::create(const TokenizerFiles& files) {
  if (files.tokenizer_json) return create_from_json(files);
  if (!files.vocab_txt) {
    fail(ErrorCode::kNotFound,
         "tokenizer: neither tokenizer.json nor vocab.txt is there; one of them is needed");
  }
  const TokenizerConfig config = read_tokenizer_config(files, {});
  if (!reads_vocab_txt(config.tokenizer_class)) {
    fail(ErrorCode::kUnsupportedModel, "tokenizer_config.json: tokenizer_class ",
         quote(config.tokenizer_class), " needs a tokenizer.json, only vocab.txt is there");
  }
  return create_bert(parse_vocab_txt(*files.vocab_txt), config, files);
}

std::unique_ptr<const Tokenizer> Tokenizer::open(std::span<const std::byte> packed,
                                                 std::string_view source) {
  FlatReader reader(packed, source);
  return std::make_unique<WordPieceTokenizer>(reader);
}

}  // namespace lambert
