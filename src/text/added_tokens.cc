#include "text/added_tokens.h"

#include <limits>

#include "base/error.h"

namespace lambert {

std::int32_t AddedTokens::id(std::string_view content, const Vocabulary& vocabulary) const {
  const auto found = ids_.find(content);
  if (found != ids_.end()) return found->second;
  return vocabulary.id(content).value_or(-1);
}

bool AddedTokens::contains(const AddedToken& token) const {
  const auto found = ids_.find(token.content);
  return found != ids_.end() && by_id_.at(found->second) == token;
}

void AddedTokens::add(std::span<const AddedToken> tokens, const Vocabulary& vocabulary) {
  for (const AddedToken& token : tokens) {
    if (token.special && !token.content.empty() && specials_.insert(token.content).second) {
      special_tokens_.push_back(token);
    }
  }
  const auto size = static_cast<std::int64_t>(vocabulary.size());
  std::int64_t next_id = size;
  if (!by_id_.empty() && (max_id() >= size || size == 0)) next_id = std::int64_t{max_id()} + 1;
  for (const AddedToken& token : tokens) {
    if (token.content.empty()) continue;
    std::int64_t token_id = id(token.content, vocabulary);
    if (token_id >= 0) {
      // The same token with the same flags again; tokens of equal content have one id.
      const auto known = by_id_.find(static_cast<std::int32_t>(token_id));
      if (known != by_id_.end() && known->second == token) continue;
    } else {
      token_id = next_id++;
    }
    if (token_id > std::numeric_limits<std::int32_t>::max()) {
      fail(ErrorCode::kLimitExceeded, source_, ": the id ", token_id, " of ", quote(token.content),
           " is above 2147483647");
    }
    ids_[token.content] = static_cast<std::int32_t>(token_id);
    by_id_[static_cast<std::int32_t>(token_id)] = token;
    if (!specials_.contains(token.content)) other_tokens_.push_back(token);
  }
}

void AddedTokens::finish(const NormalizerOptions& options, bool split_special_tokens) {
  split_special_tokens_ = split_special_tokens;
  for (const auto* tokens : {&special_tokens_, &other_tokens_}) {
    for (const AddedToken& token : *tokens) {
      const std::int32_t token_id = ids_.at(token.content);
      if (!token.normalized) {
        raw_.insert(token.content, token_id);
        continue;
      }
      const std::string content = lambert::normalized(options, token.content);
      if (content.empty()) {
        fail(ErrorCode::kInvalidModel, source_, ": nothing is left of ", quote(token.content),
             " after normalisation; set its \"normalized\" to false");
      }
      normalized_.insert(content, token_id);
    }
  }
}

}  // namespace lambert
