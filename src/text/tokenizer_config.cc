#include "text/tokenizer_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <set>
#include <tuple>

#include "base/error.h"
#include "text/json_fields.h"

namespace lambert {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, 7> kStandardNames = {
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};

bool is_standard(std::string_view name) {
  return std::find(kStandardNames.begin(), kStandardNames.end(), name) != kStandardNames.end();
}

// A special token is a string or an object. `special`: the file's objects are special tokens even
// where they do not say so.
std::optional<AddedToken> special_token(const json::value& value, const std::string& path,
                                        bool special) {
  AddedToken token;
  if (const auto* text = value.if_string()) {
    token.content = json_token_content({text->data(), text->size()}, path);
    token.special = true;
    token.normalized = false;
    return token;
  }
  if (!value.is_object()) return std::nullopt;
  const JsonFields fields{value.get_object(), path};
  token = json_added_token(fields);
  if (special) {
    token.special = true;
    token.normalized = fields.find_bool("normalized").value_or(false);
  }
  return token;
}

struct TokenLess {
  bool operator()(const AddedToken& a, const AddedToken& b) const {
    const auto key = [](const AddedToken& token) {
      return std::tie(token.content, token.single_word, token.lstrip, token.rstrip,
                      token.normalized, token.special);
    };
    return key(a) < key(b);
  }
};

// The special tokens of one file; a later file overrides an earlier one.
class SpecialTokens {
 public:
  void set(std::string_view name, const json::value& value, const std::string& path, bool special) {
    if (auto token = special_token(value, path, special)) {
      const bool is_new = tokens_.insert_or_assign(std::string(name), std::move(*token)).second;
      if (is_new && !is_standard(name)) own_names_.emplace_back(name);
    } else if (value.is_null() && is_standard(name)) {
      tokens_[std::string(name)] = std::nullopt;
    } else if (is_standard(name)) {
      fail(ErrorCode::kInvalidModel, path, ": a token expected, as a string or an object");
    }
  }

  void read(const JsonFields& file, bool special) {
    for (const auto& member : file.object) {
      const std::string_view name(member.key().data(), member.key().size());
      if (name.ends_with("_token")) set(name, member.value(), file.path_of(name), special);
    }
  }

  void move_to(TokenizerConfig& config) {
    for (const std::string_view name : kStandardNames) {
      const auto found = tokens_.find(name);
      if (found == tokens_.end()) continue;
      if (found->second) {
        config.special_tokens.emplace_back(name, *found->second);
      } else {
        config.nulls.emplace_back(name);
      }
    }
    for (const std::string& name : own_names_) {
      config.special_tokens.emplace_back(name, *tokens_.at(name));
    }
  }

 private:
  std::map<std::string, std::optional<AddedToken>, std::less<>> tokens_;
  std::vector<std::string> own_names_;  // not standard, in the order they came
};

// A list of tokens, or an object of named ones.
void read_extra_special_tokens(const JsonFields& file, std::string_view name, bool special,
                               SpecialTokens& named, std::vector<AddedToken>& extra) {
  const json::value* value = file.find(name);
  if (value == nullptr) return;
  const std::string path = file.path_of(name);
  if (const json::object* object = value->if_object()) {
    const JsonFields fields{*object, path};
    for (const auto& member : *object) {
      const std::string_view key(member.key().data(), member.key().size());
      named.set(key, member.value(), fields.path_of(key), special);
    }
    return;
  }
  std::set<AddedToken, TokenLess> known(extra.begin(), extra.end());
  for (const json::value& element : file.array(name)) {
    auto token = special_token(element, path, special);
    if (!token) fail(ErrorCode::kInvalidModel, path, ": a list of tokens expected");
    if (known.insert(*token).second) extra.push_back(std::move(*token));
  }
}

std::optional<std::size_t> read_max_length(const JsonFields& file) {
  constexpr double kAbsurd = 1e9;
  const json::value* value = file.find("model_max_length");
  const std::string_view name = value != nullptr ? "model_max_length" : "max_len";
  if (value == nullptr) value = file.find(name);
  if (value == nullptr) return std::nullopt;
  json::error_code error;
  const double length = value->to_number<double>(error);
  if (error || !(length >= 1)) {
    fail(ErrorCode::kInvalidModel, file.path_of(name), ": ", quote(json::serialize(*value)),
         " found, a number of tokens of at least 1 expected");
  }
  if (length > kAbsurd) return std::nullopt;
  return static_cast<std::size_t>(length);
}

std::optional<bool> read_has_token_types(const JsonFields& file) {
  if (file.find("model_input_names") == nullptr) return std::nullopt;
  const json::array& names = file.array("model_input_names");
  return std::any_of(names.begin(), names.end(), [](const json::value& name) {
    return name.is_string() && name.get_string() == "token_type_ids";
  });
}

// Pairs are question, context and are cut on the right. The pipeline swaps the two texts of a
// tokenizer that pads on the left, and no model of ours is such a one.
void check_sides(const JsonFields& file) {
  for (const std::string_view name : {"padding_side", "truncation_side"}) {
    const std::string_view side = file.find_string(name).value_or("right");
    if (side == "right") continue;
    fail(ErrorCode::kUnsupportedModel, file.path_of(name), ": ", quote(side),
         " found, only \"right\" is supported");
  }
}

// {"101": {"content": "[CLS]", ...}, ...}
void read_added_tokens_decoder(const JsonFields& decoder, TokenizerConfig& config) {
  for (const auto& member : decoder.object) {
    const std::string_view key(member.key().data(), member.key().size());
    const std::string path = decoder.path_of(key);
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size()) {
      fail(ErrorCode::kInvalidModel, path, ": a token id expected as the key");
    }
    config.added_tokens[id] = json_added_token({json_object(member.value(), path), path});
  }
}

// {"[NEW]": 30522, ...}; special are those that another file names so.
void read_added_tokens_json(const JsonFields& file, TokenizerConfig& config) {
  std::set<std::string, std::less<>> named;
  for (const auto& [name, special] : config.special_tokens) {
    if (is_standard(name)) named.insert(special.content);
  }
  for (const AddedToken& extra : config.extra_special_tokens) named.insert(extra.content);
  for (const auto& member : file.object) {
    AddedToken token;
    token.content = json_token_content({member.key().data(), member.key().size()}, file.path);
    token.special = named.contains(token.content);
    token.normalized = !token.special;
    const std::int32_t id = json_token_id(member.value(), file.path_of(token.content));
    config.added_tokens[id] = std::move(token);
  }
}

json::value parse_object(const std::optional<std::string_view>& text, const char* name) {
  if (!text) return json::object();
  json::value value = parse_tokenizer_file(*text, name);
  json_object(value, name);
  return value;
}

std::string without_fast(std::string_view name) {
  std::string result(name);
  for (std::size_t at = 0; (at = result.find("Fast")) != std::string::npos;) result.erase(at, 4);
  return result;
}

}  // namespace

const AddedToken* TokenizerConfig::special_token(std::string_view name) const {
  for (const auto& [known, token] : special_tokens) {
    if (known == name) return &token;
  }
  return nullptr;
}

TokenizerConfig read_tokenizer_config(const TokenizerFiles& files,
                                      const std::map<std::int64_t, AddedToken>& json_added_tokens) {
  const json::value document = parse_object(files.tokenizer_config_json, "tokenizer_config.json");
  const JsonFields file{document.get_object(), "tokenizer_config.json"};
  check_sides(file);
  TokenizerConfig config;
  config.tokenizer_class = without_fast(file.find_string("tokenizer_class").value_or(""));
  config.do_lower_case = file.find_bool("do_lower_case");
  config.strip_accents = file.find_bool("strip_accents");
  config.tokenize_chinese_chars = file.find_bool("tokenize_chinese_chars").value_or(true);
  config.split_special_tokens = file.find_bool("split_special_tokens").value_or(false);
  config.has_token_types = read_has_token_types(file);
  config.model_max_length = read_max_length(file);

  SpecialTokens named;
  named.read(file, false);
  const bool has_extra = file.find("extra_special_tokens") != nullptr;
  read_extra_special_tokens(file, has_extra ? "extra_special_tokens" : "additional_special_tokens",
                            false, named, config.extra_special_tokens);
  if (file.find("added_tokens_decoder") != nullptr) {
    named.move_to(config);
    read_added_tokens_decoder(file.fields("added_tokens_decoder"), config);
    return config;
  }
  const json::value map = parse_object(files.special_tokens_map_json, "special_tokens_map.json");
  const JsonFields map_file{map.get_object(), "special_tokens_map.json"};
  named.read(map_file, true);
  read_extra_special_tokens(map_file, "extra_special_tokens", true, named,
                            config.extra_special_tokens);
  named.move_to(config);
  const json::value added = parse_object(files.added_tokens_json, "added_tokens.json");
  read_added_tokens_json({added.get_object(), "added_tokens.json"}, config);
  for (const auto& [id, token] : json_added_tokens) config.added_tokens[id] = token;
  // The old name comes last: it does not count for added_tokens.json, nor beside the new one.
  if (!has_extra && map_file.find("extra_special_tokens") == nullptr &&
      file.find("additional_special_tokens") == nullptr) {
    read_extra_special_tokens(map_file, "additional_special_tokens", true, named,
                              config.extra_special_tokens);
  }
  return config;
}

}  // namespace lambert
