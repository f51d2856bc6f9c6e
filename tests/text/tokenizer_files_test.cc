// Tokenizer files that are hostile, or say what is not computed: refused by name.
#include <gtest/gtest.h>

#include <string>

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
    const std::string added = R"({")" + key + R"(": -1})";
    expect_refused({.vocab_txt = "[UNK]\n", .added_tokens_json = added}, ErrorCode::kInvalidModel,
                   {"added_tokens.json: ", part});
    const std::string json = changed(R"("a": 4)", "\"" + key + "\": -4");
    expect_refused({.tokenizer_json = json}, ErrorCode::kInvalidModel, {"model.vocab.", part});
  }
}

}  // namespace
}  // namespace lambert
