// Properties of every encoding, and errors.
#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <tuple>

#include "base/utf8.h"
#include "golden.h"
#include "small_tokenizer.h"

namespace lambert {
namespace {

TEST(Tokenizer, DefaultModel) {
  const auto tokenizer = default_tokenizer();
  EXPECT_EQ(tokenizer->vocab_size(), 30522u);
  EXPECT_EQ(tokenizer->cls_id(), 101);
  EXPECT_EQ(tokenizer->model_max_length(), 512u);
  EXPECT_EQ(tokenizer->token(101), "[CLS]");
  EXPECT_EQ(tokenizer->token(30521), "##～");
  EXPECT_EQ(tokenizer->token(30522), "");
  EXPECT_EQ(tokenizer->token(-1), "");
  EXPECT_EQ(tokenizer->pair_template().size(), 5u);
}

TEST(Tokenizer, InvalidUtf8NamesTheByte) {
  const auto tokenizer = small_tokenizer();
  for (const std::string bad :
       {"\x80", "\xC0\x80", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\xF0\x9F\x98"}) {
    try {
      tokenizer->encode("a b\u00e9 a a a a" + bad + "zz");
      ADD_FAILURE() << quoted(bad);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      EXPECT_NE(std::string(error.what()).find("byte 13"), std::string::npos) << error.what();
    }
  }
}

TEST(Tokenizer, NulIsData) {
  const Encoding encoding = small_tokenizer()->encode(std::string_view("a\0a a", 5));
  EXPECT_EQ(encoding.ids, (std::vector<std::int32_t>{4, 5, 4}));
  EXPECT_EQ(encoding.end, (std::vector<std::uint32_t>{1, 3, 5}));
}

// ASCII that the normaliser drops once ended the run of marks around it.
TEST(Tokenizer, DroppedControlCharacterDoesNotEndARunOfMarks) {
  // U+302E (class 224) is kept, U+0323 (220) is dropped but goes first.
  const Encoding encoding = small_tokenizer()->encode("a\u302e\x0c\u0323 a");
  EXPECT_EQ(encoding.ids, (std::vector<std::int32_t>{1, 4}));
  EXPECT_EQ(encoding.end.front(), 4u);
}

TEST(Tokenizer, OneWordOfTenMegabytes) {
  const auto tokenizer = small_tokenizer();
  for (const std::string piece : {"a", "\u00e9", "\u0e01", "\U0001f600"}) {
    std::string text;
    while (text.size() < 10'000'000) text += piece;
    const Encoding encoding = tokenizer->encode(text);
    ASSERT_EQ(encoding.size(), 1u);
    EXPECT_EQ(encoding.ids[0], 1);
    EXPECT_EQ(encoding.end[0], text.size() / piece.size());
  }
}

TEST(Tokenizer, AMillionCombiningMarks) {
  const auto tokenizer = small_tokenizer();
  std::string dropped = "a", kept = "a";
  for (int i = 0; i < 500'000; ++i) {
    dropped += "\u0301\u0323";
    kept += "\u302e\u0323";  // U+302E is not a nonspacing mark
  }
  const Encoding one = tokenizer->encode(dropped);
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one.end[0], 1u);
  const Encoding other = tokenizer->encode(kept);
  ASSERT_EQ(other.size(), 1u);
  EXPECT_EQ(other.ids[0], 1);
  EXPECT_EQ(other.end[0], 1'000'001u);
}

// Offsets lie within the text and never go back, words are numbered without gaps, and whitespace
// around the text moves all offsets.
TEST(Tokenizer, PropertiesOfRandomTexts) {
  const auto usual = default_tokenizer();
  std::mt19937 random(1);
  const std::vector<std::string> parts = {"a",      "the",   " ",      "\u0301", "\u302e",
                                          "\u4e2d", "[SEP]", "\u200b", ".",      "\u00e9",
                                          "\ud55c", "A",     "\u0344", "\n",     "ing",
                                          "\x01",   "2020",  "\u2028", "[",      "\U0001f600"};
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (std::size_t n = random() % 20; n > 0; --n) text += parts[random() % parts.size()];
    const Encoding encoding = usual->encode(text);
    const std::size_t length = count_code_points(text);
    for (std::size_t i = 0; i < encoding.size(); ++i) {
      ASSERT_LT(encoding.start[i], encoding.end[i]);
      ASSERT_LE(encoding.end[i], length);
      ASSERT_LT(static_cast<std::size_t>(encoding.ids[i]), usual->vocab_size());
      if (i == 0) {
        ASSERT_EQ(encoding.word[i], 0u);
        continue;
      }
      ASSERT_GE(encoding.start[i], encoding.start[i - 1]);
      ASSERT_LE(encoding.word[i] - encoding.word[i - 1], 1u);
    }
    Encoding moved = usual->encode("  " + text + " ");
    for (std::uint32_t& x : moved.start) x -= 2;
    for (std::uint32_t& x : moved.end) x -= 2;
    ASSERT_EQ(moved.ids, encoding.ids) << quoted(text);
    ASSERT_EQ(moved.start, encoding.start) << quoted(text);
    ASSERT_EQ(moved.end, encoding.end) << quoted(text);
  }
}

TEST(Tokenizer, UnsupportedPartsAreNamed) {
  const std::pair<std::string, std::string> cases[] = {
      {R"("type": "WordPiece")", R"("type": "BPE")"},
      {R"("type": "BertNormalizer")", R"("type": "NFKC")"},
      {R"("type": "BertPreTokenizer")", R"("type": "ByteLevel")"},
      {R"("type": "BertProcessing")", R"("type": "RobertaProcessing")"},
      {R"("version": "1.0")", R"("version": "2.0")"}};
  for (const auto& [from, to] : cases) {
    std::string message;
    const std::string json = changed(from, to);
    EXPECT_EQ(error_of({.tokenizer_json = json, .tokenizer_config_json = kAsItStands}, &message),
              ErrorCode::kUnsupportedModel);
    const std::string name = to.substr(to.find(": ") + 3, to.rfind('"') - to.find(": ") - 3);
    EXPECT_NE(message.find(name), std::string::npos) << message;
    EXPECT_NE(message.find("tokenizer.json: "), std::string::npos) << message;
  }
  EXPECT_EQ(error_of({.vocab_txt = "[UNK]\n",
                      .tokenizer_config_json = R"({"tokenizer_class": "RobertaTokenizer"})"}),
            ErrorCode::kUnsupportedModel);
}

TEST(Tokenizer, DamagedFilesAreNamed) {
  const auto expect = [](const TokenizerFiles& files, const std::string& named,
                         ErrorCode code = ErrorCode::kInvalidModel) {
    std::string message;
    EXPECT_EQ(error_code_name(error_of(files, &message)), error_code_name(code)) << message;
    EXPECT_NE(message.find(named), std::string::npos) << message << "\nexpected: " << named;
  };
  expect({}, "neither tokenizer.json nor vocab.txt", ErrorCode::kNotFound);
  expect({.vocab_txt = "a\nb\n"}, "vocab.txt: the unknown token \"[UNK]\"");
  expect({.vocab_txt = "[UNK]\n\xFF\n"}, "vocab.txt: not valid UTF-8 at byte 6");
  const std::pair<const char*, const char*> configs[] = {
      {"[]", ""},
      {R"({"cls_token": null})", ": cls_token: null found"},
      {R"({"do_lower_case": 1})", ": do_lower_case: a number found"},
      {R"({"model_max_length": 0})", ": model_max_length: \"0\" found"}};
  for (const auto& [config, named] : configs) {
    expect({.vocab_txt = "[UNK]", .tokenizer_config_json = config},
           std::string("tokenizer_config.json") + named);
  }
  const std::tuple<std::string, std::string, std::string> cases[] = {
      {R"("a": 4)", R"("a": -4)", "model.vocab.a"},
      {R"("a": 4)", R"("a": 4000000000)", "model.vocab.a"},
      {R"("a": 4)", R"("a": "4")", "model.vocab.a"},
      {R"("[UNK]": 1)", R"("[UNK ]": 1)", "model.vocab: the unknown token \"[UNK]\""},
      {R"("clean_text": true)", R"("clean_text": 1)", "normalizer.clean_text"},
      {R"(["[SEP]", 3])", R"(["[SEP]"])", "post_processor.sep"},
      {R"("content": "[SEP]",)", "", "added_tokens[0].content"},
      {R"("lowercase": true)", R"("lower": true)", "normalizer.lowercase"}};
  for (const auto& [from, to, named] : cases) {
    const std::string json = changed(from, to);
    expect({.tokenizer_json = json, .tokenizer_config_json = kAsItStands},
           "tokenizer.json: " + named);
  }
}

TEST(Tokenizer, AddedTokenThatNormalisesToNothingIsRefused) {
  const std::string json = changed(
      R"("content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false,
   "normalized": false)",
      R"("content": "\u200b", "single_word": false, "lstrip": false, "rstrip": false,
   "normalized": true)");
  std::string message;
  EXPECT_EQ(error_of({.tokenizer_json = json, .tokenizer_config_json = kAsItStands}, &message),
            ErrorCode::kInvalidModel);
  EXPECT_NE(message.find("tokenizer.json, tokenizer_config.json: added tokens: "),
            std::string::npos)
      << message;
}

// Files cut or damaged at each 1/256: a clear error or a tokenizer that works.
void try_damaged(const std::string& json, const std::string& config) {
  try {
    const auto tokenizer =
        Tokenizer::create({.tokenizer_json = json, .tokenizer_config_json = config});
    tokenizer->encode("a aa [SEP] \u00e9\u0301 \u4e2d");
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::kInvalidModel ||
                error.code() == ErrorCode::kUnsupportedModel ||
                error.code() == ErrorCode::kLimitExceeded)
        << error.what();
    EXPECT_FALSE(std::string(error.what()).empty());
  }
}

TEST(Tokenizer, FilesDamagedAtEach256th) {
  const std::string json = kSmallJson, config = kAsItStands;
  for (std::size_t i = 0; i < 256; ++i) {
    const std::size_t at = json.size() * i / 256;
    try_damaged(json.substr(0, at), config);
    try_damaged(json, config.substr(0, config.size() * i / 256));
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = json;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      try_damaged(damaged, config);
      try_damaged(damaged, "{}");
    }
  }
}

}  // namespace
}  // namespace lambert
