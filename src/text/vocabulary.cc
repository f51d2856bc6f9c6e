#include "text/vocabulary.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "base/error.h"

namespace lambert {

namespace {

constexpr std::uint64_t kSeed = 0x243F6A8885A308D3;        // digits of pi
constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio
// With tables at most half full, honest vocabularies stay below 50.
constexpr std::size_t kMaxProbes = 512;
constexpr std::size_t kMaxRun = 1024;

std::uint64_t extend(std::uint64_t hash, char byte) {
  hash = (hash ^ static_cast<unsigned char>(byte)) * kMultiplier;
  return hash ^ hash >> 29;
}

std::uint64_t hash_of(std::string_view key) {
  std::uint64_t hash = kSeed;
  for (const char byte : key) hash = extend(hash, byte);
  return hash;
}

std::size_t count_tails(std::span<const VocabularyEntry> entries, std::string_view prefix) {
  return static_cast<std::size_t>(
      std::count_if(entries.begin(), entries.end(),
                    [&](const VocabularyEntry& entry) { return entry.token.starts_with(prefix); }));
}

}  // namespace

void check_vocabulary_size(std::size_t entries, std::string_view source) {
  constexpr std::size_t kMost = 2'000'000;
  if (entries <= kMost) return;
  fail(ErrorCode::kLimitExceeded, source, ": has ", entries, " vocabulary entries, at most ", kMost,
       " are accepted");
}

PrefixTable::PrefixTable(std::span<const Slot> slots, std::size_t longest)
    : slots_(slots),
      shift_(64 - static_cast<unsigned>(std::countr_zero(slots.size()))),
      longest_(longest) {}

std::size_t PrefixTable::slot_of(std::uint64_t hash) const {
  return static_cast<std::size_t>((hash * kMultiplier) >> shift_);
}

const PrefixTable::Slot* PrefixTable::lookup(std::string_view pool, std::string_view key,
                                             std::uint64_t hash) const {
  std::size_t i = slot_of(hash);
  for (std::size_t probes = 0; probes <= kMaxRun; ++probes) {
    const Slot& slot = slots_[i];
    if (slot.value == kEmpty) return nullptr;
    if (slot.tag == static_cast<std::uint32_t>(hash) && slot.length == key.size() &&
        slot.begin <= pool.size() && pool.substr(slot.begin, slot.length) == key) {
      return &slot;
    }
    i = (i + 1) & (slots_.size() - 1);
  }
  return nullptr;
}

PrefixTable::Match PrefixTable::longest(std::string_view pool, std::string_view text,
                                        std::vector<std::uint64_t>& hashes) const {
  text = text.substr(0, longest_);
  if (hashes.size() < text.size()) hashes.resize(text.size());
  std::uint64_t hash = kSeed;
  for (std::size_t i = 0; i < text.size(); ++i) hashes[i] = hash = extend(hash, text[i]);
  for (std::size_t length = text.size(); length > 0; --length) {
    if (const Slot* slot = lookup(pool, text.substr(0, length), hashes[length - 1])) {
      return {length, slot->value};
    }
  }
  return {};
}

std::optional<std::uint32_t> PrefixTable::find(std::string_view pool, std::string_view key) const {
  if (const Slot* slot = lookup(pool, key, hash_of(key))) return slot->value;
  return std::nullopt;
}

PrefixTableBuilder::PrefixTableBuilder(std::size_t size)
    : slots_(std::bit_ceil(size * 2 + 2)), table_(slots_, 0) {}

std::uint32_t PrefixTableBuilder::insert(std::string_view pool, std::string_view key,
                                         std::uint32_t value) {
  const std::uint64_t hash = hash_of(key);
  if (const PrefixTable::Slot* slot = table_.lookup(pool, key, hash)) return slot->value;
  std::size_t probes = 0;
  std::size_t i = table_.slot_of(hash);
  while (slots_[i].value != PrefixTable::kEmpty) {
    i = (i + 1) & (slots_.size() - 1);
    if (++probes > kMaxProbes) {
      fail(ErrorCode::kInvalidModel, "vocabulary: its tokens collide in the hash table (",
           quote(key), "); it was not made for text");
    }
  }
  slots_[i] = {static_cast<std::uint32_t>(key.data() - pool.data()),
               static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(hash), value};
  longest_ = std::max(longest_, key.size());
  return value;
}

PrefixTable PrefixTableBuilder::finish() const {
  check_runs();
  return {slots_, longest_};
}

// Collisions at insertion do not tell: keys that each have a slot of their own may fill half of the
// table without a gap, which every look-up of a key that is not there then walks. 65,532 of them
// made 100 kB of text 2 s instead of 0.02.
void PrefixTableBuilder::check_runs() const {
  std::size_t run = 0;
  const std::size_t last = slots_.size() + kMaxRun;  // a run may cross the end
  for (std::size_t i = 0; i <= last; ++i) {
    run = slots_[i & (slots_.size() - 1)].value == PrefixTable::kEmpty ? 0 : run + 1;
    if (run > kMaxRun) {
      fail(ErrorCode::kInvalidModel, "vocabulary: its tokens fill more than ", kMaxRun,
           " slots of the hash table in a row; it was not made for text");
    }
  }
}

struct Vocabulary::Built {
  Built(std::span<const VocabularyEntry> entries, std::string_view prefix);

  std::string pool;
  std::vector<std::uint32_t> begins{0};
  std::vector<std::int32_t> ids;
  std::vector<std::uint32_t> by_id;
  PrefixTableBuilder whole, tails;
};

void Vocabulary::Free::operator()(const Built* built) const {
  delete built;
}

Vocabulary::Built::Built(std::span<const VocabularyEntry> entries, std::string_view prefix)
    : whole(entries.size()), tails(count_tails(entries, prefix)) {
  std::size_t bytes = 0;
  for (const VocabularyEntry& entry : entries) bytes += entry.token.size();
  if (bytes >= 0xFFFFFFFF || entries.size() >= 0x7FFFFFFF) {
    fail(ErrorCode::kLimitExceeded, "vocabulary: ", entries.size(), " tokens of ", bytes,
         " bytes, less than 4 GB are accepted");
  }
  pool.reserve(bytes);  // so that the tokens of the pool do not move
  begins.reserve(entries.size() + 1);
  ids.reserve(entries.size());
  for (const VocabularyEntry& added : entries) {
    const auto index = static_cast<std::uint32_t>(ids.size());
    pool += added.token;
    const std::string_view token = std::string_view(pool).substr(begins.back());
    const std::uint32_t known = whole.insert(pool, token, index);
    if (known != index) {
      ids[known] = added.id;
      pool.resize(begins.back());
      continue;
    }
    begins.push_back(static_cast<std::uint32_t>(pool.size()));
    ids.push_back(added.id);
    if (token.starts_with(prefix)) tails.insert(pool, token.substr(prefix.size()), index);
  }
  by_id.resize(ids.size());
  std::iota(by_id.begin(), by_id.end(), 0u);
  const auto id_less = [&](std::uint32_t a, std::uint32_t b) { return ids[a] < ids[b]; };
  if (!std::is_sorted(ids.begin(), ids.end()))
    std::stable_sort(by_id.begin(), by_id.end(), id_less);
}

Vocabulary::Vocabulary(std::span<const VocabularyEntry> entries, std::string_view prefix)
    : built_(new Built(entries, prefix)),
      pool_(built_->pool),
      begins_(built_->begins),
      ids_(built_->ids),
      by_id_(built_->by_id),
      whole_(built_->whole.finish()),
      tails_(built_->tails.finish()) {
  if (!by_id_.empty()) max_id_ = ids_[by_id_.back()];
}

namespace {

void write_table(const PrefixTable& table, FlatWriter& packed) {
  packed.u64(table.longest());
  packed.array(table.slots());
}

PrefixTable read_table(FlatReader& packed) {
  const auto longest = static_cast<std::size_t>(packed.u64());
  const auto slots = packed.array<PrefixTable::Slot>();
  if (slots.size() < 2 || !std::has_single_bit(slots.size())) {
    packed.refuse("a hash table has ", slots.size(), " slots, expected a power of two");
  }
  return {slots, longest};
}

}  // namespace

void Vocabulary::write(FlatWriter& packed) const {
  packed.u32(static_cast<std::uint32_t>(max_id_));
  packed.text(pool_);
  packed.array(begins_);
  packed.array(ids_);
  packed.array(by_id_);
  write_table(whole_, packed);
  write_table(tails_, packed);
}

Vocabulary::Vocabulary(FlatReader& packed) {
  max_id_ = static_cast<std::int32_t>(packed.u32());
  pool_ = packed.text();
  begins_ = packed.array<std::uint32_t>();
  ids_ = packed.array<std::int32_t>();
  by_id_ = packed.array<std::uint32_t>();
  whole_ = read_table(packed);
  tails_ = read_table(packed);
  if (max_id_ < -1 || begins_.size() != ids_.size() + 1 || by_id_.size() != ids_.size()) {
    packed.refuse("the tables of the vocabulary have ", begins_.size(), ", ", ids_.size(), " and ",
                  by_id_.size(), " entries and the highest id ", max_id_,
                  ", which do not go together");
  }
}

// The tables may come from outside, so their numbers are looked at before they lead elsewhere.
bool Vocabulary::has_id(std::uint32_t index, std::int32_t id) const {
  return index < ids_.size() && ids_[index] == id;
}

std::string_view Vocabulary::entry(std::uint32_t index) const {
  const std::uint32_t begin = begins_[index], end = begins_[index + 1];
  if (begin > end || end > pool_.size()) return {};
  return pool_.substr(begin, end - begin);
}

std::optional<std::int32_t> Vocabulary::id(std::string_view token) const {
  const auto index = whole_.find(pool_, token);
  if (!index || *index >= ids_.size()) return std::nullopt;
  return ids_[*index];
}

std::string_view Vocabulary::token(std::int32_t id) const {
  const auto found = std::lower_bound(
      by_id_.begin(), by_id_.end(), id,
      [&](std::uint32_t i, std::int32_t x) { return i < ids_.size() && ids_[i] < x; });
  return found != by_id_.end() && has_id(*found, id) ? entry(*found) : std::string_view();
}

Vocabulary::Match Vocabulary::longest(std::string_view text, bool at_start,
                                      std::vector<std::uint64_t>& hashes) const {
  const PrefixTable::Match match = (at_start ? whole_ : tails_).longest(pool_, text, hashes);
  if (match.length == 0 || match.value >= ids_.size()) return {};
  return {match.length, ids_[match.value]};
}

}  // namespace lambert
