// Equality with the `tokenizers` crate and with transformers 5.2.0, by goldens of tools/goldens.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "../squad_data.h"
#include "base/utf8.h"
#include "golden.h"
#include "text/unicode.h"

namespace lambert {
namespace {

TEST(TokenizerGolden, AdversarialStrings) {
  const boost::json::value file = golden("adversarial.json");
  const auto usual = default_tokenizer();
  const auto own = Tokenizer::create(
      {.tokenizer_json = view(file.at("own_tokenizer_json")),
       .tokenizer_config_json =
           R"({"tokenizer_class": "TokenizersBackend", "added_tokens_decoder": {}})"});
  const auto& strings = file.at("strings").as_array();
  EXPECT_GE(strings.size(), 500u);
  for (const auto& row : strings) {
    const std::string_view text = view(row.at(0));
    EXPECT_EQ(difference(usual->encode(text), row.at(1)), "") << quote(text);
    EXPECT_EQ(difference(own->encode(text), row.at(2)), "") << quote(text);
  }
}

// What comes out of a model's files, for each combination of them.
TEST(TokenizerGolden, FilesAsTransformersReadsThem) {
  const boost::json::value file = golden("files.json");
  const auto& pool = file.at("pool").as_array();
  EXPECT_GE(file.at("cases").as_array().size(), 100u);
  for (const auto& row : file.at("cases").as_array()) {
    SCOPED_TRACE(view(row.at("name")));
    TokenizerFiles files;
    for (const auto& [name, index] : row.at("files").as_object()) {
      const std::string_view text = view(pool[index.to_number<std::size_t>()]);
      if (name == "tokenizer.json") files.tokenizer_json = text;
      if (name == "vocab.txt") files.vocab_txt = text;
      if (name == "tokenizer_config.json") files.tokenizer_config_json = text;
      if (name == "special_tokens_map.json") files.special_tokens_map_json = text;
      if (name == "added_tokens.json") files.added_tokens_json = text;
    }
    const auto tokenizer = Tokenizer::create(files);
    const auto& texts = file.at("texts").as_array();
    for (std::size_t i = 0; i < texts.size(); ++i) {
      EXPECT_EQ(difference(tokenizer->encode(view(texts[i])), row.at("texts").at(i)), "")
          << view(texts[i]);
    }
    std::vector<std::uint32_t> ids, types;
    for (const TemplatePiece& piece : tokenizer->pair_template()) {
      std::vector<std::int32_t> part = {piece.id};
      if (piece.kind == TemplatePiece::Kind::kQuestion) {
        part = tokenizer->encode(view(file.at("question"))).ids;
      } else if (piece.kind == TemplatePiece::Kind::kContext) {
        part = tokenizer->encode(view(file.at("context"))).ids;
      }
      ids.insert(ids.end(), part.begin(), part.end());
      types.insert(types.end(), part.size(), static_cast<std::uint32_t>(piece.type_id));
    }
    EXPECT_EQ(ids, numbers(row.at("pair_ids")));
    EXPECT_EQ(types, numbers(row.at("pair_types")));
    const auto& cls = row.at("cls_id");
    EXPECT_EQ(tokenizer->cls_id().value_or(-1), cls.is_null() ? -1 : cls.to_number<int>());
    const auto& length = row.at("max_length");
    EXPECT_EQ(tokenizer->model_max_length().value_or(0),
              length.is_null() ? 0 : length.to_number<std::size_t>());
  }
}

bool is_scalar(char32_t c) {
  return c < 0xD800 || c >= 0xE000;
}

// vocab.txt with c in line 2c + 1 and ##c in line 2c + 2, below U+30000.
std::string alphabet_vocabulary() {
  std::string text = "[UNK]\n";
  for (char32_t c = 0; c < 0x30000; ++c) {
    const bool listed = is_scalar(c) && !char_record(c).has(kWhitespace);
    if (listed) append_utf8(c, text);
    text += '\n';
    if (listed) append_utf8(c, text += "##");
    text += '\n';
  }
  return text;
}

std::string scalar_text(char32_t first, char32_t size) {
  std::string text;
  for (char32_t c = first; c < first + size; ++c) {
    if (!is_scalar(c)) continue;
    if (!text.empty()) text += ' ';
    append_utf8(c, text);
    append_utf8(c, text += " a");
    append_utf8(c, text += "b x\u0345");
    text += "\u0334y";
  }
  return text;
}

class ScalarSweep : public testing::TestWithParam<std::size_t> {};

// Planes 3 to 16 hold unassigned and private characters alone, but for tags and selectors.
bool has_properties(std::size_t first) {
  return first < 0x30000 || first == 0xE0000;
}

// Each Unicode scalar alone, between letters and between combining marks; all of them for the
// usual uncased and cased models, else those that have properties.
TEST_P(ScalarSweep, IsEqual) {
  constexpr char32_t kBlock = 4096;
  const boost::json::value file = golden("digests.json");
  const auto& variant = file.at("scalars").at(GetParam());
  boost::json::object config = {{"tokenizer_class", "BertTokenizer"},
                                {"do_lower_case", variant.at("lowercase")},
                                {"strip_accents", variant.at("strip_accents")},
                                {"tokenize_chinese_chars", variant.at("chinese")}};
  const std::string vocabulary = alphabet_vocabulary();
  const std::string config_text = boost::json::serialize(config);
  const auto tokenizer =
      Tokenizer::create({.vocab_txt = vocabulary, .tokenizer_config_json = config_text});
  const auto& digests = variant.at("digests").as_array();
  ASSERT_EQ(digests.size(), 0x110000u / kBlock);
  const bool usual = variant.at("strip_accents").is_null() && variant.at("chinese").as_bool();
  for (std::size_t block = 0; block < digests.size(); ++block) {
    if (!usual && !has_properties(block * kBlock)) continue;
    Digest digest;
    digest.add(tokenizer->encode(scalar_text(static_cast<char32_t>(block) * kBlock, kBlock)));
    EXPECT_EQ(digest.hex(), view(digests[block]))
        << "block of 4096 from " << block * kBlock << ", " << config_text;
  }
}

INSTANTIATE_TEST_SUITE_P(TokenizerGolden, ScalarSweep, testing::Range<std::size_t>(0, 12));

std::vector<std::string> texts_of(const std::string& squad, const std::string& set) {
  std::vector<std::string> texts;
  const boost::json::value file = parse_json(squad, set, ErrorCode::kInvalidInput);
  for (const auto& article : file.at("data").as_array()) {
    for (const auto& paragraph : article.at("paragraphs").as_array()) {
      texts.emplace_back(view(paragraph.at("context")));
      for (const auto& question : paragraph.at("qas").as_array()) {
        texts.emplace_back(view(question.at("question")));
      }
    }
  }
  return texts;
}

TEST(TokenizerGolden, TwentyThousandSquadTexts) {
  constexpr std::size_t kTexts = 20000, kBlock = 100;
  std::vector<std::string> texts;
  for (const char* set : {"dev-v1.1", "train-v1.1"}) {
    const std::optional<std::string> squad = read_squad(set);
    if (!squad) GTEST_SKIP() << "LAMBERT_DATA has no SQuAD " << set;
    for (std::string& text : texts_of(*squad, set)) texts.push_back(std::move(text));
  }
  ASSERT_GE(texts.size(), kTexts);
  texts.resize(kTexts);
  const std::string vocabulary = source_file("models/distilbert-minilm-squad/vocab.txt");
  const auto cased = Tokenizer::create({.vocab_txt = vocabulary});
  const auto uncased = default_tokenizer();
  const boost::json::value file = golden("digests.json");
  for (const auto& [name, tokenizer] :
       {std::pair{"uncased", uncased.get()}, {"cased", cased.get()}}) {
    const auto& digests = file.at("squad").at(name).as_array();
    for (std::size_t block = 0; block < kTexts / kBlock; ++block) {
      Digest digest;
      for (std::size_t i = 0; i < kBlock; ++i) {
        digest.add(tokenizer->encode(texts[block * kBlock + i]));
      }
      EXPECT_EQ(digest.hex(), view(digests.at(block))) << name << " texts from " << block * kBlock;
    }
  }
}

}  // namespace
}  // namespace lambert
