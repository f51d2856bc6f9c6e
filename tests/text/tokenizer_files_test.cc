// Tokenizer files that are hostile, or say what is not computed: refused by name.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "small_tokenizer.h"

namespace lambert {
namespace {

// Expects a refusal whose message has all of `parts`.
void expect_refused(const TokenizerFiles& files, ErrorCode code,
                    const std::vector<std::string>& parts) {
  std::string message;
  EXPECT_EQ(error_code_name(error_of(files, &message)), error_code_name(code)) << message;
  EXPECT_LT(message.size(), 1000U);
  EXPECT_EQ(message.find_first_of("\n\x1b"), std::string::npos);
  for (const std::string& part : parts) {
    EXPECT_NE(message.find(part), std::string::npos) << message << "\nexpected: " << part;
  }
}

// With "left" the pipeline makes the context the first text of the pair.
TEST(TokenizerFilesTest, APaddingSideOtherThanRightIsRefused) {
  for (const std::string field : {"padding_side", "truncation_side"}) {
    const auto config = [&](const std::string& value) {
      return "{\"" + field + "\": " + value + "}";
    };
    for (const char* side : {"\"right\"", "null"}) {
      const std::string json = config(side);
      EXPECT_NO_THROW(
          Tokenizer::create({.tokenizer_json = kSmallJson, .tokenizer_config_json = json}))
          << json;
    }
    const std::string left = config("\"left\""), number = config("1");
    expect_refused({.tokenizer_json = kSmallJson, .tokenizer_config_json = left},
                   ErrorCode::kUnsupportedModel,
                   {"tokenizer_config.json: " + field, "\"left\" found", "\"right\""});
    expect_refused({.vocab_txt = "[UNK]\n[CLS]\n[SEP]", .tokenizer_config_json = left},
                   ErrorCode::kUnsupportedModel, {field});
    expect_refused({.tokenizer_json = kSmallJson, .tokenizer_config_json = number},
                   ErrorCode::kInvalidModel, {field, "a number found"});
  }
}

// A key is text of the file: it printed an escape sequence and a second line.
TEST(TokenizerFilesTest, KeysInMessagesAreQuotedAndCut) {
  const std::string evil = R"(\u001b[2J\nlambert: forged)",
                    shown = R"("\x1b[2J\x0alambert: forged)";
  const std::string long_key(3'000'000, 'k');
  for (const std::string& key : {evil, long_key}) {
    const std::string& part = key == evil ? shown : "k...";
    const std::string configs[] = {
        R"({"added_tokens_decoder": {")" + key + R"(": {}}})",
        R"({"extra_special_tokens": {")" + key + R"(_token": {}}})",
        R"({")" + key + R"(_token": {"content": 1}})",
    };
    for (const std::string& config : configs) {
      expect_refused({.tokenizer_json = kSmallJson, .tokenizer_config_json = config},
                     ErrorCode::kInvalidModel, {"tokenizer_config.json: ", part});
    }
    const std::string added = R"({")" + key.substr(0, 1000) + R"(": -1})";
    expect_refused({.vocab_txt = "[UNK]\n", .added_tokens_json = added}, ErrorCode::kInvalidModel,
                   {"added_tokens.json: ", part});
    const std::string json = changed(R"("a": 4)", "\"" + key + "\": -4");
    expect_refused({.tokenizer_json = json}, ErrorCode::kInvalidModel, {"model.vocab.", part});
  }
}

// 16 MiB of newlines took 1.46 GB.
TEST(TokenizerFilesTest, MoreThanTwoMillionVocabularyEntriesAreRefused) {
  const std::string lines = "[UNK]\n[CLS]\n[SEP]" + std::string(2'000'000, '\n');
  expect_refused({.vocab_txt = lines}, ErrorCode::kLimitExceeded,
                 {"vocab.txt: ", "2000002 vocabulary entries", "at most 2000000"});
}

// {"x": [1, 1, ...]} of 66 MB took 1.6 GB.
TEST(TokenizerFilesTest, MoreThanFourMillionJsonValuesAreRefused) {
  std::string ones = R"({"x": [1)";
  for (int i = 0; i < 4'000'000; ++i) ones += ",1";
  ones += "]}";
  expect_refused({.tokenizer_json = ones}, ErrorCode::kLimitExceeded,
                 {"tokenizer.json: ", "more than 4000000 values"});
  expect_refused({.tokenizer_json = kSmallJson, .tokenizer_config_json = ones},
                 ErrorCode::kLimitExceeded, {"tokenizer_config.json: "});
}

// One of 50,000 bytes made a text of as many take 5.7 s.
TEST(TokenizerFilesTest, AnAddedTokenAbove1024BytesIsRefused) {
  const std::string token(1025, 'a'), quoted = '"' + token + '"';
  const std::string json = changed(R"("content": "[SEP]")", R"("content": )" + quoted);
  const std::string special = R"({"cls_token": )" + quoted + "}", added = "{" + quoted + ": 3}";
  const auto expect = [](const TokenizerFiles& files, const std::string& file) {
    expect_refused(files, ErrorCode::kLimitExceeded, {file, "has 1025 bytes, at most 1024"});
  };
  expect({.tokenizer_json = json}, "tokenizer.json: added_tokens");
  expect({.tokenizer_json = kSmallJson, .tokenizer_config_json = special},
         "tokenizer_config.json: cls_token");
  expect({.vocab_txt = "[UNK]\n", .added_tokens_json = added}, "added_tokens.json");
}

TEST(TokenizerFilesTest, WordsAbove1000CharactersAreRefused) {
  const std::string most = changed("_word\": 100", "_word\": 1000");
  EXPECT_NO_THROW(Tokenizer::create({.tokenizer_json = most}));
  const std::string json = changed("_word\": 100", "_word\": 2147483647");
  expect_refused({.tokenizer_json = json}, ErrorCode::kLimitExceeded,
                 {"tokenizer.json: model.max_input_chars_per_word", "2147483647", "at most 1000"});
}

// 20,000 of each took 2.5 s, with the square of their number.
TEST(TokenizerFilesTest, ManyAddedAndSpecialTokensLoadInLinearTime) {
  std::string decoder, named, extra;
  for (int i = 0; i < 200'000; ++i) {
    const std::string number = std::to_string(i), comma = i > 0 ? "," : "";
    decoder += comma + '"' + number + R"(":{"content":"added)" + number + "\"}";
    named += comma + "\"x" + number + R"(_token":"named)" + number + '"';
    extra += comma + "\"extra" + number + '"';
  }
  const std::string map = "{" + named + "}", list = R"({"extra_special_tokens":[)" + extra + "]}";
  const std::string all = "{" + named + R"(,"added_tokens_decoder":{)" + decoder +
                          R"(},"extra_special_tokens":[)" + extra + "]}";
  std::string file;
  for (int i = 0; i < 200'000; ++i) {
    const std::string number = std::to_string(i);
    file += (i > 0 ? ",\"extra" : "\"extra") + number + "\":" + std::to_string(i + 10);
  }
  file = "{" + file + "}";
  EXPECT_GE(
      Tokenizer::create({.tokenizer_json = kSmallJson, .tokenizer_config_json = all})->vocab_size(),
      600'000U);
  EXPECT_GE(Tokenizer::create({.vocab_txt = "[UNK]\n",
                               .tokenizer_config_json = list,
                               .special_tokens_map_json = map,
                               .added_tokens_json = file})
                ->vocab_size(),
            400'000U);
}

// The slot that vocabulary.cc gives a key in a table of `slots`, a power of two.
std::size_t slot_of(const std::string& key, std::size_t slots) {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;
  std::uint64_t hash = 0x243F6A8885A308D3;
  for (const char byte : key) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * kMultiplier;
    hash ^= hash >> 29;
  }
  return static_cast<std::size_t>(hash * kMultiplier / (~std::uint64_t{0} / slots + 1));
}

// Each key had a slot of its own, so that none collided, and each look-up of another one walked
// over all of them.
TEST(TokenizerFilesTest, AVocabularyThatFillsItsHashTableWithoutAGapIsRefused) {
  constexpr std::size_t kKeys = 1100, kSlots = 4096, kFirst = kSlots - kKeys / 2;
  std::vector<std::string> keys(kKeys);
  for (std::size_t i = 0, filled = 0; filled < kKeys; ++i) {
    const std::string key = "k" + std::to_string(i);
    const std::size_t place = (slot_of(key, kSlots) - kFirst) % kSlots;
    if (place >= kKeys || !keys[place].empty()) continue;
    keys[place] = key;
    ++filled;
  }
  std::string text = "[UNK]\n";
  for (const std::string& key : keys) text += key + '\n';
  expect_refused({.vocab_txt = text}, ErrorCode::kInvalidModel, {"vocabulary: ", "in a row"});
}

}  // namespace
}  // namespace lambert
