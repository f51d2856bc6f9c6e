// The small files around a tokenizer, as transformers 5.2.0 reads them: tokenizer_config.json and,
// from older versions, special_tokens_map.json and added_tokens.json.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/added_tokens.h"
#include "text/tokenizer.h"

namespace lambert {

struct TokenizerConfig {
  std::string tokenizer_class;  // without "Fast"; "" when not given
  std::optional<bool> do_lower_case, strip_accents;
  bool tokenize_chinese_chars = true;
  bool split_special_tokens = false;
  std::optional<bool> has_token_types;          // whether model_input_names has token_type_ids
  std::optional<std::size_t> model_max_length;  // absent when missing or absurd (1e30)

  // "cls_token" etc. in the order in which transformers adds them: the seven standard names, then
  // a model's own. A value of null is not here; `nulls` has its name.
  std::vector<std::pair<std::string, AddedToken>> special_tokens;
  std::vector<std::string> nulls;
  std::vector<AddedToken> extra_special_tokens;
  std::map<std::int64_t, AddedToken> added_tokens;  // by the id that the file gives

  const AddedToken* special_token(std::string_view name) const;
};

// `json_added_tokens`: those of a tokenizer.json, by their id there. They count among added_tokens
// where tokenizer_config.json has no added_tokens_decoder; so do the two older files. Throws
// kInvalidModel.
TokenizerConfig read_tokenizer_config(const TokenizerFiles& files,
                                      const std::map<std::int64_t, AddedToken>& json_added_tokens);

}  // namespace lambert
