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

}  // namespace
}  // namespace lambert
