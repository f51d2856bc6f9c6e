// Added tokens that are whitespace or take it. What is expected is what the `tokenizers` crate
// 0.23.3 gives, where it does not panic.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "small_tokenizer.h"

namespace lambert {
namespace {

struct Added {
  std::string content;  // as in JSON
  bool lstrip, rstrip;
};

// kSmallJson with these tokens, which get the ids 6, 7, ... where the vocabulary has none
std::unique_ptr<const Tokenizer> with_added(const std::vector<Added>& tokens, bool normalized) {
  const auto flag = [](bool value) { return value ? "true" : "false"; };
  std::string list;
  for (const Added& token : tokens) {
    list += std::string(", {\"id\": 9, \"single_word\": false, \"special\": false") +
            ", \"content\": \"" + token.content + "\", \"lstrip\": " + flag(token.lstrip) +
            ", \"rstrip\": " + flag(token.rstrip) + ", \"normalized\": " + flag(normalized) + "}";
  }
  const std::string json = changed(R"("special": true})", R"("special": true})" + list);
  return Tokenizer::create({.tokenizer_json = json, .tokenizer_config_json = kAsItStands});
}

// "id,start,end id,start,end"
std::string shown(const Encoding& encoding) {
  std::string text;
  for (std::size_t i = 0; i < encoding.size(); ++i) {
    text += (i > 0 ? " " : "") + std::to_string(encoding.ids[i]) + "," +
            std::to_string(encoding.start[i]) + "," + std::to_string(encoding.end[i]);
  }
  return text;
}

// It was a token of no characters.
TEST(AddedTokens, OneThatTheTokenBeforeTookAsWhitespaceIsNone) {
  for (const bool normalized : {false, true}) {
    const auto tokenizer = with_added({{"a", false, true}, {"\\t ", true, false}}, normalized);
    EXPECT_EQ(shown(tokenizer->encode("a\t a")), "4,0,3 4,3,4") << normalized;
    EXPECT_EQ(shown(tokenizer->encode("b\t a")), "1,0,1 6,1,3 4,3,4") << normalized;
  }
}

// It started behind its end, and an answer with it; the crate panics.
TEST(AddedTokens, NoneStartsBehindItsEnd) {
  for (const bool normalized : {false, true}) {
    const auto tokenizer = with_added({{"a", false, true}, {" ", true, false}}, normalized);
    EXPECT_EQ(shown(tokenizer->encode("a     b")), "4,0,6 1,6,7") << normalized;
    EXPECT_EQ(shown(tokenizer->encode("b  a  ")), "1,0,1 6,1,2 6,2,3 4,3,6") << normalized;
  }
}

// Whitespace of the token before was counted to both.
TEST(AddedTokens, WhitespaceAtItsFrontThatTheTokenBeforeTookIsNotItsOwn) {
  for (const bool normalized : {false, true}) {
    const auto tokenizer = with_added({{"a", false, true}, {" x", true, false}}, normalized);
    EXPECT_EQ(shown(tokenizer->encode("a   x")), "4,0,4 6,4,5") << normalized;
    EXPECT_EQ(shown(tokenizer->encode("b   x")), "1,0,1 6,1,5") << normalized;
  }
}

TEST(AddedTokens, TheTokenBeforeTakesAllWhitespaceThoughAnotherLiesInIt) {
  for (const bool normalized : {false, true}) {
    const auto tokenizer = with_added({{"a", false, true}, {" ", false, false}}, normalized);
    EXPECT_EQ(shown(tokenizer->encode("a  b")), "4,0,3 6,1,2 6,2,3 1,3,4") << normalized;
  }
}

// Took time with the square of the text's length: 40,000 spaces 5.7 s.
TEST(AddedTokens, AMillionTokensOfWhitespaceTakeLinearTime) {
  constexpr std::size_t kSpaces = 1'000'000;
  for (const bool normalized : {false, true}) {
    for (const bool lstrip : {false, true}) {
      const auto tokenizer = with_added({{" ", lstrip, true}, {"\\t", false, false}}, normalized);
      const Encoding spaces = tokenizer->encode(std::string(kSpaces, ' '));
      ASSERT_EQ(spaces.size(), lstrip ? 1 : kSpaces);
      EXPECT_EQ(spaces.end.front(), kSpaces);
      std::string mixed;
      while (mixed.size() < kSpaces) mixed += " \t";
      const Encoding tokens = tokenizer->encode(mixed);
      for (std::size_t i = 0; i < tokens.size(); ++i) ASSERT_LT(tokens.start[i], tokens.end[i]);
    }
  }
}

}  // namespace
}  // namespace lambert
