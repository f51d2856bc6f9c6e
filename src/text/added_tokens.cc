#include "text/added_tokens.h"

#include <limits>

#include "base/error.h"
#include "base/utf8.h"

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

namespace {

enum AddedTokenFlag : std::uint32_t {
  kSingleWord = 1,
  kLstrip = 2,
  kRstrip = 4,
  kNormalized = 8,
  kSpecial = 16,
};

void write_token(const AddedToken& token, std::int32_t id, FlatWriter& packed) {
  packed.u32(static_cast<std::uint32_t>(id));
  packed.u32((token.single_word ? kSingleWord : 0U) | (token.lstrip ? kLstrip : 0U) |
             (token.rstrip ? kRstrip : 0U) | (token.normalized ? kNormalized : 0U) |
             (token.special ? kSpecial : 0U));
  packed.text(token.content);
}

std::pair<std::int32_t, AddedToken> read_token(FlatReader& packed) {
  const auto id = static_cast<std::int32_t>(packed.u32());
  const std::uint32_t flags = packed.u32();
  AddedToken token{std::string(packed.text()), (flags & kSingleWord) != 0, (flags & kLstrip) != 0,
                   (flags & kRstrip) != 0,     (flags & kNormalized) != 0, (flags & kSpecial) != 0};
  if (id < 0 || token.content.empty() || token.content.size() > kMaxAddedTokenBytes ||
      check_utf8(token.content).error_byte) {
    packed.refuse("the added token ", quote(token.content), " has the id ", id, ", expected 1 to ",
                  kMaxAddedTokenBytes, " bytes of valid UTF-8 and an id from 0 on");
  }
  return {id, std::move(token)};
}

}  // namespace

// The tokens as they are, then those of the tries in the order they came.
void AddedTokens::write(FlatWriter& packed) const {
  packed.u32(split_special_tokens_ ? 1 : 0);
  packed.u64(by_id_.size());
  for (const auto& [id, token] : by_id_) write_token(token, id, packed);
  for (const auto* tokens : {&special_tokens_, &other_tokens_}) {
    packed.u64(tokens->size());
    for (const AddedToken& token : *tokens) write_token(token, ids_.at(token.content), packed);
  }
}

AddedTokens::AddedTokens(FlatReader& packed, const NormalizerOptions& options)
    : source_("packed added tokens") {
  const bool split_special_tokens = packed.u32() != 0;
  for (std::uint64_t left = packed.u64(); left > 0; --left) by_id_.insert(read_token(packed));
  for (auto* tokens : {&special_tokens_, &other_tokens_}) {
    for (std::uint64_t left = packed.u64(); left > 0; --left) {
      auto [id, token] = read_token(packed);
      if (!by_id_.contains(id)) packed.refuse("no added token has the id ", id);
      ids_[token.content] = id;
      if (tokens == &special_tokens_) specials_.insert(token.content);
      tokens->push_back(std::move(token));
    }
  }
  finish(options, split_special_tokens);
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
