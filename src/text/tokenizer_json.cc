#include "text/tokenizer_json.h"

#include "base/error.h"

namespace lambert {

namespace json = boost::json;

namespace {

[[noreturn]] void fail_unsupported(const JsonFields& part, std::string_view type,
                                   std::string_view supported) {
  fail(ErrorCode::kUnsupportedModel, part.path, ": the type ", quote(type),
       " is not supported, only ", supported);
}

// Follows a Sequence of one member under `list`.
JsonFields unwrap(JsonFields part, std::string_view list) {
  if (part.string("type") != "Sequence") return part;
  const json::array& members = part.array(list);
  if (members.size() != 1) {
    fail(ErrorCode::kUnsupportedModel, part.path_of(list), ": a Sequence of ", members.size(),
         " members, only one is supported");
  }
  const std::string path = part.path_of(list) + "[0]";
  return {json_object(members.front(), path), path};
}

std::int32_t type_id(const JsonFields& piece) {
  return piece.find("type_id") == nullptr ? 0 : piece.id("type_id");
}

void add_special(const JsonFields& special_tokens, const JsonFields& piece,
                 std::vector<TemplatePiece>& pieces) {
  const std::string_view name = piece.string("id");
  const JsonFields special = special_tokens.fields(name);
  for (const json::value& id : special.array("ids")) {
    pieces.push_back(
        {TemplatePiece::Kind::kSpecial, json_token_id(id, special.path_of("ids")), type_id(piece)});
  }
}

std::vector<TemplatePiece> read_template(const JsonFields& processor) {
  std::vector<TemplatePiece> pieces;
  bool has_question = false, has_context = false;
  const json::array& pair = processor.array("pair");
  const std::string path = processor.path_of("pair");
  for (const json::value& value : pair) {
    const JsonFields piece{json_object(value, path), path};
    if (piece.find("SpecialToken") != nullptr) {
      add_special(processor.fields("special_tokens"), piece.fields("SpecialToken"), pieces);
      continue;
    }
    const JsonFields sequence = piece.fields("Sequence");
    const std::string_view name = sequence.string("id");
    bool& seen = name == "A" ? has_question : has_context;
    if ((name != "A" && name != "B") || seen) {
      fail(ErrorCode::kInvalidModel, path, ": the sequence ", quote(name),
           " found, \"A\" and \"B\" expected, once each");
    }
    seen = true;
    pieces.push_back({name == "A" ? TemplatePiece::Kind::kQuestion : TemplatePiece::Kind::kContext,
                      0, type_id(sequence)});
  }
  if (!has_question || !has_context) {
    fail(ErrorCode::kInvalidModel, path, ": sequences \"A\" and \"B\" expected, one is missing");
  }
  return pieces;
}

// ["[SEP]", 102]
std::int32_t bert_processing_id(const JsonFields& processor, std::string_view name) {
  const json::array& token = processor.array(name);
  if (token.size() != 2) {
    fail(ErrorCode::kInvalidModel, processor.path_of(name), ": ", token.size(),
         " elements found, a token and its id expected");
  }
  return json_token_id(token[1], processor.path_of(name));
}

std::size_t max_word_length(const JsonFields& model) {
  constexpr const char* kField = "max_input_chars_per_word";
  constexpr auto kMost = static_cast<std::int32_t>(kMaxWordChars);
  const std::int32_t length = model.id(kField);
  if (length > kMost) {
    fail(ErrorCode::kLimitExceeded, model.path_of(kField), ": ", length, " found, at most ", kMost,
         " is accepted");
  }
  return static_cast<std::size_t>(length);
}

void check_version(const JsonFields& root) {
  const auto version = root.find_string("version");
  if (version && *version != "1.0") {
    fail(ErrorCode::kUnsupportedModel, root.path_of("version"), ": ", quote(*version),
         " found, only \"1.0\" is supported");
  }
}

}  // namespace

WordPieceJson read_wordpiece(const JsonFields& root) {
  check_version(root);
  const JsonFields model = root.fields("model");
  const std::string_view type = model.find_string("type").value_or("WordPiece");
  if (type != "WordPiece") fail_unsupported(model, type, "\"WordPiece\"");
  WordPieceJson result;
  result.options.unk_token = model.string("unk_token");
  result.options.continuing_subword_prefix = model.string("continuing_subword_prefix");
  result.options.max_input_chars_per_word = max_word_length(model);
  const JsonFields vocabulary = model.fields("vocab");
  check_vocabulary_size(vocabulary.object.size(), vocabulary.path);
  result.vocabulary.reserve(vocabulary.object.size());
  for (const auto& member : vocabulary.object) {
    const std::string_view token(member.key().data(), member.key().size());
    const auto id = find_token_id(member.value());
    result.vocabulary.push_back(
        {token, id ? *id : json_token_id(member.value(), vocabulary.path_of(token))});
  }
  return result;
}

NormalizerOptions read_normalizer(const JsonFields& root) {
  if (root.find("normalizer") == nullptr) return {};
  const JsonFields part = unwrap(root.fields("normalizer"), "normalizers");
  const std::string_view type = part.string("type");
  if (type == "Lowercase") return {.lowercase = true};
  if (type != "BertNormalizer") fail_unsupported(part, type, "\"BertNormalizer\", \"Lowercase\"");
  const bool lowercase = part.boolean("lowercase");
  return {.clean_text = part.boolean("clean_text"),
          .handle_chinese_chars = part.boolean("handle_chinese_chars"),
          .strip_accents = part.find_bool("strip_accents").value_or(lowercase),
          .lowercase = lowercase};
}

void check_pre_tokenizer(const JsonFields& root) {
  if (root.find("pre_tokenizer") == nullptr) {
    fail(ErrorCode::kUnsupportedModel, root.path_of("pre_tokenizer"),
         ": null found, only \"BertPreTokenizer\" is supported");
  }
  const JsonFields part = unwrap(root.fields("pre_tokenizer"), "pretokenizers");
  const std::string_view type = part.string("type");
  if (type != "BertPreTokenizer") fail_unsupported(part, type, "\"BertPreTokenizer\"");
}

std::vector<AddedToken> read_added_tokens(const JsonFields& root) {
  std::vector<AddedToken> tokens;
  if (root.find("added_tokens") == nullptr) return tokens;
  for (const json::value& value : root.array("added_tokens")) {
    const std::string path =
        root.path_of("added_tokens") + '[' + std::to_string(tokens.size()) + ']';
    const JsonFields token{json_object(value, path), path};
    for (const char* flag : {"single_word", "lstrip", "rstrip", "normalized", "special"}) {
      token.boolean(flag);
    }
    token.id("id");
    tokens.push_back(json_added_token(token));
  }
  return tokens;
}

std::vector<TemplatePiece> bert_pair_template(std::int32_t cls_id, std::int32_t sep_id) {
  using Kind = TemplatePiece::Kind;
  return {{Kind::kSpecial, cls_id, 0},
          {Kind::kQuestion, 0, 0},
          {Kind::kSpecial, sep_id, 0},
          {Kind::kContext, 0, 1},
          {Kind::kSpecial, sep_id, 1}};
}

std::vector<TemplatePiece> read_pair_template(const JsonFields& root) {
  if (root.find("post_processor") == nullptr) {
    return {{TemplatePiece::Kind::kQuestion, 0, 0}, {TemplatePiece::Kind::kContext, 0, 1}};
  }
  const JsonFields part = unwrap(root.fields("post_processor"), "processors");
  const std::string_view type = part.string("type");
  if (type == "TemplateProcessing") return read_template(part);
  if (type != "BertProcessing") {
    fail_unsupported(part, type, "\"TemplateProcessing\", \"BertProcessing\"");
  }
  return bert_pair_template(bert_processing_id(part, "cls"), bert_processing_id(part, "sep"));
}

}  // namespace lambert
