// Packed tokenizers: the same tokens; whatever the bytes nothing but an error or other tokens.
#include <gtest/gtest.h>

#include <algorithm>

#include "golden.h"
#include "small_tokenizer.h"
#include "text/vocabulary.h"

namespace lambert {
namespace {

// In memory that is aligned and no longer than it.
class Packed {
 public:
  explicit Packed(const std::string& bytes) : words_((bytes.size() + 7) / 8), size_(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(words_.data()));
  }
  std::unique_ptr<const Tokenizer> open() const {
    return Tokenizer::open(std::as_bytes(std::span(words_)).first(size_), "m.lambert");
  }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t size_;
};

constexpr const char* kTexts[] = {
    "", "a aa [SEP] b", "Ada Lovelace (1843) wrote it; caf\xC3\xA9, \xE4\xB8\xAD\xE6\x96\x87!",
    "  tok x a B  unaffable [CLS][SEP]", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

bool same(const Encoding& a, const Encoding& b) {
  return a.ids == b.ids && a.start == b.start && a.end == b.end && a.word == b.word;
}

void expect_same(const Tokenizer& a, const Tokenizer& b) {
  for (const char* const text : kTexts) EXPECT_TRUE(same(a.encode(text), b.encode(text))) << text;
  ASSERT_EQ(a.vocab_size(), b.vocab_size());
  for (std::size_t id = 0; id < a.vocab_size() + 2; ++id) {
    EXPECT_EQ(a.token(static_cast<std::int32_t>(id)), b.token(static_cast<std::int32_t>(id)));
  }
  EXPECT_EQ(a.cls_id(), b.cls_id());
  EXPECT_EQ(a.model_max_length(), b.model_max_length());
  ASSERT_EQ(a.pair_template().size(), b.pair_template().size());
  for (std::size_t i = 0; i < a.pair_template().size(); ++i) {
    EXPECT_EQ(a.pair_template()[i].kind, b.pair_template()[i].kind);
    EXPECT_EQ(a.pair_template()[i].id, b.pair_template()[i].id);
    EXPECT_EQ(a.pair_template()[i].type_id, b.pair_template()[i].type_id);
  }
  EXPECT_EQ(a.pack(), b.pack());
}

// Added tokens of every kind: raw and normalised, stripping, single words, special ones.
std::unique_ptr<const Tokenizer> tokenizer_of_all_kinds() {
  return Tokenizer::create({.tokenizer_json = changed(R"("added_tokens": [)",
                                                      R"("added_tokens": [
  {"id": 20, "content": "tok", "single_word": true, "lstrip": true, "rstrip": true,
   "normalized": false, "special": false},
  {"id": 21, "content": "a B", "single_word": false, "lstrip": true, "rstrip": true,
   "normalized": true, "special": false},
  {"id": 22, "content": " x", "single_word": true, "lstrip": false, "rstrip": false,
   "normalized": true, "special": true},)"),
                            .tokenizer_config_json =
                                R"({"tokenizer_class": "DistilBertTokenizer", "cls_token": "[CLS]",
               "model_max_length": 77, "model_input_names": ["token_type_ids"]})"});
}

TEST(PackedTokenizer, GivesTheSameTokens) {
  for (const auto& tokenizer :
       {default_tokenizer(), small_tokenizer(), tokenizer_of_all_kinds(),
        Tokenizer::create({.vocab_txt = "[UNK]\n[CLS]\n[SEP]\na\n##b\n"})}) {
    const Packed packed(tokenizer->pack());
    expect_same(*tokenizer, *packed.open());
  }
}

TEST(PackedTokenizer, SplitSpecialTokensStaySo) {
  const auto tokenizer = Tokenizer::create(
      {.tokenizer_json = kSmallJson,
       .tokenizer_config_json =
           R"({"tokenizer_class": "DistilBertTokenizer", "split_special_tokens": true})"});
  const Packed packed(tokenizer->pack());
  expect_same(*tokenizer, *packed.open());
  EXPECT_FALSE(same(tokenizer->encode("[SEP]"), small_tokenizer()->encode("[SEP]")));
}

TEST(PackedTokenizer, EveryEndThatIsTooEarlyIsRefused) {
  const std::string bytes = tokenizer_of_all_kinds()->pack();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(Packed(bytes.substr(0, size)).open(), Error) << size;
  }
}

// Opens and uses what may be anything.
void use(const std::string& bytes) {
  const Packed packed(bytes);
  try {
    const auto tokenizer = packed.open();
    for (const char* const text : kTexts) {
      const Encoding encoding = tokenizer->encode(text);
      EXPECT_EQ(encoding.ids.size(), encoding.word.size());
      for (const std::int32_t id : encoding.ids) static_cast<void>(tokenizer->token(id));
    }
    static_cast<void>(tokenizer->vocab_size());
    EXPECT_EQ(Packed(tokenizer->pack()).open()->pack(), tokenizer->pack());
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::kInvalidModel ||
                error.code() == ErrorCode::kUnsupportedModel)
        << error.what();
  }
}

TEST(PackedTokenizer, AnyByteMayBeWrong) {
  const std::string bytes = tokenizer_of_all_kinds()->pack();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int flip : {1, 0x10, 0x80, 0xFF}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      use(damaged);
    }
  }
}

TEST(PrefixTable, ATableWithoutAnEmptySlotEndsALookUp) {
  std::vector<PrefixTable::Slot> slots(1 << 16, {0, 1, 0, 0});
  const PrefixTable table(slots, 100);
  EXPECT_EQ(table.find("pool", "x"), std::nullopt);
  std::vector<std::uint64_t> hashes;
  EXPECT_EQ(table.longest("pool", std::string(200, 'x'), hashes).length, 0U);
}

TEST(PrefixTable, SlotsThatLeaveThePoolAreNoKeys) {
  const std::string pool = "x";
  PrefixTableBuilder builder(1);
  builder.insert(pool, pool, 5);
  std::vector<PrefixTable::Slot> slots(builder.finish().slots().begin(),
                                       builder.finish().slots().end());
  EXPECT_EQ(PrefixTable(slots, 1).find(pool, "x"), 5U);
  for (PrefixTable::Slot& slot : slots) slot.begin = 0xFFFFFFF0;
  EXPECT_EQ(PrefixTable(slots, 1).find(pool, "x"), std::nullopt);
}

TEST(PackedTokenizer, ALaterLayoutIsNamed) {
  std::string bytes = small_tokenizer()->pack();
  bytes[0] = 9;
  try {
    Packed(bytes).open();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupportedModel);
    EXPECT_NE(std::string(error.what()).find("layout 9"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace lambert
