// A WordPiece vocabulary: token -> id, id -> token, and the longest token at the front of a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lambert {

struct VocabularyEntry {
  std::string_view token;
  std::int32_t id = 0;  // >= 0
};

// Throws kLimitExceeded for more entries than a model can have (config.json's vocab_size has the
// same limit). `source` names the file.
void check_vocabulary_size(std::size_t entries, std::string_view source);

// An open-addressing hash table over the tails of tokens. Flat and pointer-free. A rolling hash
// over the text gives the hash of each of its prefixes, so that the longest one in the table is
// found with one look-up for most words.
class PrefixTable {
 public:
  struct Match {
    std::size_t length = 0;  // bytes; 0: none
    std::uint32_t value = 0;
  };

  // Room for `size` keys of the pool.
  explicit PrefixTable(std::size_t size);
  // Returns the value that `key` has from now on: `value`, or that of the first insertion. Keys
  // must lie within `pool`. Throws kInvalidModel when keys are made to collide.
  std::uint32_t insert(std::string_view pool, std::string_view key, std::uint32_t value);
  // To be called after the last insertion. Throws kInvalidModel when a look-up of a key that is not
  // there may take long.
  void check_runs() const;
  // The longest key, not empty, that `text` starts with. `hashes` is scratch memory.
  Match longest(std::string_view pool, std::string_view text,
                std::vector<std::uint64_t>& hashes) const;
  std::optional<std::uint32_t> find(std::string_view pool, std::string_view key) const;

 private:
  struct Slot {
    std::uint32_t begin = 0;   // of the key in the pool
    std::uint32_t length = 0;  // 0 for the empty key, too
    std::uint32_t tag = 0;     // other bits of the hash than the slot's index
    std::uint32_t value = kEmpty;
  };
  static constexpr std::uint32_t kEmpty = 0xFFFFFFFF;

  std::size_t slot_of(std::uint64_t hash) const;
  const Slot* lookup(std::string_view pool, std::string_view key, std::uint64_t hash) const;

  std::vector<Slot> slots_;  // a power of two, at most half full
  unsigned shift_ = 0;
  std::size_t longest_ = 0;  // bytes of the longest key
};

// Immutable after construction.
class Vocabulary {
 public:
  // Of equal tokens the last one counts, as in a Python dict. `prefix` marks tokens that continue
  // a word ("##"). Throws kInvalidModel, kLimitExceeded (more than 4 GB of text).
  Vocabulary(std::span<const VocabularyEntry> entries, std::string_view prefix);

  std::size_t size() const { return ids_.size(); }  // different tokens
  std::int32_t max_id() const { return max_id_; }   // -1 when empty
  std::optional<std::int32_t> id(std::string_view token) const;
  std::string_view token(std::int32_t id) const;  // "" for an id without a token

  struct Match {
    std::size_t length = 0;  // bytes of the text, the prefix not counted; 0: none
    std::int32_t id = 0;
  };
  // The longest token that `text` starts with, at the start of a word or within it.
  Match longest(std::string_view text, bool at_start, std::vector<std::uint64_t>& hashes) const;

 private:
  std::string_view entry(std::uint32_t index) const {
    return std::string_view(pool_).substr(begins_[index], begins_[index + 1] - begins_[index]);
  }

  std::string pool_;                   // all tokens, one after the other
  std::vector<std::uint32_t> begins_;  // (size + 1) offsets in pool_
  std::vector<std::int32_t> ids_;      // (size)
  std::vector<std::uint32_t> by_id_;   // (size) entries sorted by id
  std::int32_t max_id_ = -1;
  PrefixTable whole_;  // all tokens -> entry
  PrefixTable tails_;  // tokens that start with the prefix, without it -> entry
};

}  // namespace lambert
