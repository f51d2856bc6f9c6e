// A WordPiece vocabulary: token -> id, id -> token, and the longest token at the front of a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/flat.h"

namespace lambert {

struct VocabularyEntry {
  std::string_view token;
  std::int32_t id = 0;  // >= 0
};

// Throws kLimitExceeded for more entries than a model can have (config.json's vocab_size has the
// same limit). `source` names the file.
void check_vocabulary_size(std::size_t entries, std::string_view source);

// An open-addressing hash table over the tails of tokens, a view of flat slots. A rolling hash over
// the text gives the hash of each of its prefixes, so that the longest one in the table is found
// with one look-up for most words. Slots may come from outside: whatever they are, look-ups end and
// keep within the pool.
class PrefixTable {
 public:
  struct Slot {
    std::uint32_t begin = 0;   // of the key in the pool
    std::uint32_t length = 0;  // 0 for the empty key, too
    std::uint32_t tag = 0;     // other bits of the hash than the slot's index
    std::uint32_t value = kEmpty;
  };
  struct Match {
    std::size_t length = 0;  // bytes; 0: none
    std::uint32_t value = 0;
  };
  static constexpr std::uint32_t kEmpty = 0xFFFFFFFF;

  PrefixTable() = default;
  // `slots`: a power of two, at least 2; `longest`: bytes of the longest key.
  PrefixTable(std::span<const Slot> slots, std::size_t longest);

  std::span<const Slot> slots() const { return slots_; }
  std::size_t longest() const { return longest_; }

  std::size_t slot_of(std::uint64_t hash) const;
  const Slot* lookup(std::string_view pool, std::string_view key, std::uint64_t hash) const;
  // The longest key, not empty, that `text` starts with. `hashes` is scratch memory.
  Match longest(std::string_view pool, std::string_view text,
                std::vector<std::uint64_t>& hashes) const;
  std::optional<std::uint32_t> find(std::string_view pool, std::string_view key) const;

 private:
  std::span<const Slot> slots_;
  unsigned shift_ = 0;
  std::size_t longest_ = 0;
};

// Fills the slots of a table, at most half of them.
class PrefixTableBuilder {
 public:
  // Room for `size` keys of the pool.
  explicit PrefixTableBuilder(std::size_t size);
  // Returns the value that `key` has from now on: `value`, or that of the first insertion. Keys
  // must lie within `pool`. Throws kInvalidModel when keys are made to collide.
  std::uint32_t insert(std::string_view pool, std::string_view key, std::uint32_t value);
  // A view of the slots. Throws kInvalidModel when a look-up of a key that is not there may take
  // long.
  PrefixTable finish() const;

 private:
  void check_runs() const;

  std::vector<PrefixTable::Slot> slots_;
  PrefixTable table_;  // of slots_
  std::size_t longest_ = 0;
};

// Immutable after construction.
class Vocabulary {
 public:
  // Of equal tokens the last one counts, as in a Python dict. `prefix` marks tokens that continue
  // a word ("##"). Throws kInvalidModel, kLimitExceeded (more than 4 GB of text).
  Vocabulary(std::span<const VocabularyEntry> entries, std::string_view prefix);
  // A view of what write() wrote; sizes are checked, numbers where they are used. Throws
  // kInvalidModel.
  explicit Vocabulary(FlatReader& packed);
  void write(FlatWriter& packed) const;

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
  struct Built;  // what the views are of, unless that is elsewhere
  struct Free {
    void operator()(const Built* built) const;
  };
  bool has_id(std::uint32_t index, std::int32_t id) const;
  std::string_view entry(std::uint32_t index) const;

  std::unique_ptr<const Built, Free> built_;
  std::string_view pool_;                  // all tokens, one after the other
  std::span<const std::uint32_t> begins_;  // (size + 1) offsets in pool_
  std::span<const std::int32_t> ids_;      // (size)
  std::span<const std::uint32_t> by_id_;   // (size) entries sorted by id
  std::int32_t max_id_ = -1;
  PrefixTable whole_;  // all tokens -> entry
  PrefixTable tails_;  // tokens that start with the prefix, without it -> entry
};

}  // namespace lambert
