// Damaged, contradictory and lying model directories: opening one and asking a question gives an
// answer or a lambert::Error that says what is wrong, never anything else.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "../code_of.h"
#include "base/json.h"
#include "lambert/lambert.h"
#include "test_files.h"

namespace lambert {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

using Files = std::map<std::string, std::string>;  // contents by name

// With letters, numbers, punctuation and an unknown token.
constexpr const char* kContext = "Ada wrote the notes in 1843 \xE2\x98\x83.";

constexpr std::size_t kPlaces = 256;  // a file is cut and its bits are flipped at each 1/256

Files tiny(const std::string& name) {
  Files files;
  for (const auto& entry :
       fs::directory_iterator(LAMBERT_SOURCE_DIR "/tests/model/data/tiny/" + name)) {
    const std::string file = entry.path().filename().string();
    if (file != "goldens.json") files[file] = read_all(entry.path().string());
  }
  return files;
}

// A file that is truncated and written again is flushed to the disk by some file systems, which
// made this test fifteen times slower; a new one is not.
void write(const TestDirectory& directory, const std::string& name, const std::string& content) {
  fs::remove(directory / name);
  directory.write(name, content);
}

void write(const TestDirectory& directory, const Files& files) {
  for (const auto& [name, content] : files) write(directory, name, content);
}

Result open_and_ask(const TestDirectory& directory) {
  const Answerer answerer({.model = directory / ".", .threads = 1});
  return answerer.ask({.question = "Who wrote it?", .context = kContext});
}

// What may come of model files, whatever is in them.
bool is_of_model(ErrorCode code) {
  return code == ErrorCode::kInvalidModel || code == ErrorCode::kUnsupportedModel ||
         code == ErrorCode::kNotFound || code == ErrorCode::kIo ||
         code == ErrorCode::kLimitExceeded;
}

// Counts outcomes; anything but an answer and a clear error fails the test.
class Outcomes {
 public:
  explicit Outcomes(const TestDirectory& directory) : directory_(directory) {}

  void expect_answer_or_error(const std::string& what) {
    try {
      open_and_ask(directory_);
      ++answered_;
    } catch (const Error& error) {
      ++refused_;
      EXPECT_TRUE(is_of_model(error.code()))
          << what << ": " << error_code_name(error.code()) << ": " << error.what();
      EXPECT_GT(std::string(error.what()).size(), 20U) << what << ": " << error.what();
    } catch (const std::exception& error) {
      ADD_FAILURE() << what << ": not a lambert::Error: " << error.what();
    }
  }

  std::size_t answered() const { return answered_; }
  std::size_t refused() const { return refused_; }

 private:
  const TestDirectory& directory_;
  std::size_t answered_ = 0, refused_ = 0;
};

void damage_each_file(const Files& files) {
  const TestDirectory directory;
  write(directory, files);
  EXPECT_EQ(open_and_ask(directory).answers.size(), 1U);
  Outcomes outcomes(directory);
  for (const auto& [name, content] : files) {
    fs::remove(directory / name);
    outcomes.expect_answer_or_error(name + " missing");
    for (std::size_t i = 0; i < kPlaces; ++i) {
      const std::size_t place = content.size() * i / kPlaces;
      write(directory, name, content.substr(0, place));
      outcomes.expect_answer_or_error(name + " cut at byte " + std::to_string(place));
      std::string flipped = content;
      flipped[place] = static_cast<char>(flipped[place] ^ (1 << i % 8));
      write(directory, name, flipped);
      outcomes.expect_answer_or_error(name + " flipped at byte " + std::to_string(place));
    }
    for (const auto& [other, other_content] : files) {
      write(directory, name, other_content);
      outcomes.expect_answer_or_error(name + " is " + other);
    }
    write(directory, name, content);
  }
  EXPECT_GT(outcomes.refused(), files.size() * kPlaces / 2);
  EXPECT_GT(outcomes.answered(), files.size());
  std::printf("%zu refused, %zu answered\n", outcomes.refused(), outcomes.answered());
}

TEST(Damage, OfEveryFileOfABert) {
  damage_each_file(tiny("bert_gelu"));
}

TEST(Damage, OfEveryFileOfAShardedDistilBert) {
  damage_each_file(tiny("distilbert_silu_f16_sharded"));
}

TEST(Damage, OfEveryFileOfABertWithoutTokenizerJson) {
  Files files = tiny("bert_gelu");
  files.erase("tokenizer.json");
  damage_each_file(files);
}

// Opens `files` with something changed and expects an error about the model whose message has
// `named`; with an empty one, an answer.
void expect_refused(const Files& files, const std::string& named, const std::string& what) {
  const TestDirectory directory;
  write(directory, files);
  try {
    open_and_ask(directory);
    EXPECT_EQ(named, "") << what << ": answered";
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::kInvalidModel ||
                error.code() == ErrorCode::kUnsupportedModel)
        << what << ": " << error_code_name(error.code()) << ": " << error.what();
    EXPECT_NE(named, "") << what << ": " << error.what();
    EXPECT_NE(std::string(error.what()).find(named), std::string::npos)
        << what << ": expected " << named << " in: " << error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << what << ": not a lambert::Error: " << error.what();
  }
}

std::string edited(const std::string& text, const std::function<void(json::object&)>& edit) {
  json::value value = parse_json(text, "test", ErrorCode::kInternal);
  edit(value.as_object());
  return json::serialize(value);
}

// The names in the index were only used to find the files.
TEST(LyingIndex, IsRefusedByTensor) {
  constexpr const char* kIndex = "model.safetensors.index.json";
  const Files truth = tiny("distilbert_silu_f16_sharded");
  const std::function<void(json::object&)> lies[] = {
      [](json::object& map) { map["ghost.weight"] = json::value(map.at("qa_outputs.bias")); },
      [](json::object& map) { map.erase("qa_outputs.bias"); },
      [](json::object& map) {
        json::value& other = map["qa_outputs.bias"];
        for (auto& pair : map) {
          if (pair.value() != other) {
            other = pair.value();
            return;
          }
        }
      }};
  const char* const named[] = {"ghost.weight", "qa_outputs.bias", "qa_outputs.bias"};
  for (std::size_t i = 0; i < std::size(lies); ++i) {
    Files files = truth;
    files[kIndex] = edited(truth.at(kIndex),
                           [&](json::object& index) { lies[i](index["weight_map"].as_object()); });
    expect_refused(files, named[i], named[i]);
  }
  Files swapped = truth;
  std::vector<std::string> shards;
  for (const auto& [name, content] : truth) {
    if (name.ends_with(".safetensors")) shards.push_back(name);
  }
  ASSERT_GE(shards.size(), 2U);
  std::swap(swapped[shards[0]], swapped[shards[1]]);
  expect_refused(swapped, "weight_map says that the tensor", "swapped shards");
}

struct Lie {
  const char *field, *value, *named;
};

void tell(const std::string& checkpoint, const std::vector<Lie>& lies) {
  const Files truth = tiny(checkpoint);
  for (const Lie& lie : lies) {
    Files files = truth;
    files["config.json"] = edited(truth.at("config.json"), [&](json::object& config) {
      config[lie.field] = json::parse(lie.value);
    });
    expect_refused(files, lie.named, std::string(lie.field) + " = " + lie.value);
  }
}

TEST(LyingConfig, OfABertIsRefusedByFieldOrTensor) {
  tell("bert_gelu", {{"vocab_size", "1000000000", "vocab_size"},
                     {"vocab_size", "0", "vocab_size"},
                     {"vocab_size", "-1", "vocab_size"},
                     {"vocab_size", "117", "word_embeddings"},
                     {"vocab_size", "119", "word_embeddings"},
                     {"vocab_size", "2000000", "word_embeddings"},
                     {"hidden_size", "1000000000", "hidden_size"},
                     {"hidden_size", "1024", "word_embeddings"},
                     {"hidden_size", "32", "word_embeddings"},
                     {"hidden_size", "15", "hidden_size"},
                     {"hidden_size", "\"16\"", "hidden_size"},
                     {"hidden_size", "16.5", "hidden_size"},
                     {"hidden_size", "1e300", "hidden_size"},
                     {"hidden_size", "18446744073709551616", "hidden_size"},
                     {"hidden_size", "null", "hidden_size"},
                     {"num_hidden_layers", "1000000000", "num_hidden_layers"},
                     {"num_hidden_layers", "0", "num_hidden_layers"},
                     {"num_hidden_layers", "1000", "layer.2."},
                     {"num_hidden_layers", "3", "layer.2."},
                     {"num_hidden_layers", "1", "layer.1."},
                     {"num_attention_heads", "3", "num_attention_heads"},
                     {"num_attention_heads", "0", "num_attention_heads"},
                     {"num_attention_heads", "17", "num_attention_heads"},
                     {"num_attention_heads", "-4", "num_attention_heads"},
                     {"num_attention_heads", "16", ""},
                     {"intermediate_size", "41", "intermediate"},
                     {"intermediate_size", "1048576", "intermediate"},
                     {"intermediate_size", "1048577", "intermediate_size"},
                     {"max_position_embeddings", "63", "position_embeddings"},
                     {"max_position_embeddings", "65", "position_embeddings"},
                     {"max_position_embeddings", "1048576", "position_embeddings"},
                     {"max_position_embeddings", "1000000000000", "max_position_embeddings"},
                     {"type_vocab_size", "1", "token_type_embeddings"},
                     {"type_vocab_size", "3", "token_type_embeddings"},
                     {"type_vocab_size", "0", "type_vocab_size"},
                     {"layer_norm_eps", "-1", "layer_norm_eps"},
                     {"layer_norm_eps", "\"small\"", "layer_norm_eps"},
                     {"hidden_act", "\"gleu\"", "hidden_act"},
                     {"hidden_act", "null", "hidden_act"},
                     {"model_type", "\"distilbert\"", "architectures"},
                     {"model_type", "\"gpt2\"", "model_type"},
                     {"architectures", "[\"BertForMaskedLM\"]", "architectures"},
                     {"architectures", "[\"BertForQuestionAnswering\"]", ""},
                     {"is_decoder", "true", "is_decoder"}});
}

TEST(LyingConfig, OfADistilBertIsRefusedByFieldOrTensor) {
  tell("distilbert_silu_f16_sharded", {{"vocab_size", "118", "word_embeddings"},
                                       {"vocab_size", "120", "word_embeddings"},
                                       {"dim", "64", "word_embeddings"},
                                       {"dim", "65537", "dim"},
                                       {"hidden_size", "31", "word_embeddings"},
                                       {"n_layers", "1000000000", "n_layers"},
                                       {"n_layers", "1", "layer.1."},
                                       {"n_layers", "4", "layer.2."},
                                       {"n_heads", "5", "n_heads"},
                                       {"n_heads", "32", ""},
                                       {"hidden_dim", "36", "ffn.lin1"},
                                       {"max_position_embeddings", "41", "position_embeddings"},
                                       {"max_position_embeddings", "39", "position_embeddings"},
                                       {"model_type", "\"bert\"", "architectures"},
                                       {"activation", "7", "activation"}});
}

// An id behind the table would be read from whatever lies there.
TEST(LyingTokenizer, IdsBehindTheEmbeddingTableAreRefused) {
  for (const char* token : {"[CLS]", "[SEP]", "who", "[UNK]"}) {
    for (const int id : {118, 1'000'000'000}) {
      Files files = tiny("bert_gelu");
      files["tokenizer.json"] = edited(files["tokenizer.json"], [&](json::object& root) {
        root["model"].at("vocab").as_object()[token] = id;
        auto& added = root["added_tokens"].as_array();
        for (json::value& one : added) {
          if (one.at("content").as_string() == token) one.as_object()["id"] = id;
        }
      });
      expect_refused(files, "vocab_size", std::string(token) + " has the id " + std::to_string(id));
    }
  }
}

// BertTokenizer gives special tokens that the vocabulary lacks the ids behind its last one.
TEST(LyingTokenizer, SpecialTokensThatTheVocabularyLacksAreRefused) {
  for (const char* name : {"cls_token", "sep_token"}) {
    for (const bool with_json : {true, false}) {
      Files files = tiny("bert_gelu");
      if (!with_json) files.erase("tokenizer.json");
      files["tokenizer_config.json"] =
          edited(files["tokenizer_config.json"],
                 [&](json::object& config) { config[name] = "[NOT IN THE VOCABULARY]"; });
      expect_refused(files, "vocab_size", name);
    }
  }
}

TEST(LyingTokenizer, TemplateIdsBehindTheEmbeddingTableAreRefused) {
  Files files = tiny("bert_gelu");
  files["tokenizer_config.json"] = edited(files["tokenizer_config.json"], [](json::object& config) {
    config["tokenizer_class"] = "PreTrainedTokenizerFast";  // tokenizer.json as it stands
  });
  expect_refused(files, "", "the same as it stands");
  files["tokenizer.json"] = edited(files["tokenizer.json"], [](json::object& root) {
    auto& tokens = root["post_processor"].at("special_tokens").as_object();
    tokens["[SEP]"].as_object()["ids"] = {1'000'000};
  });
  expect_refused(files, "vocab_size", "[SEP] of the template");
}

// Such a pair has no token at all around two blank texts, and an empty window was computed.
TEST(LyingTokenizer, ATemplateWithoutSpecialTokensAroundBlankTextsIsRefused) {
  Files files = tiny("bert_gelu");
  files["tokenizer_config.json"] = edited(files["tokenizer_config.json"], [](json::object& config) {
    config["tokenizer_class"] = "PreTrainedTokenizerFast";  // tokenizer.json as it stands
  });
  files["tokenizer.json"] =
      edited(files["tokenizer.json"], [](json::object& root) { root["post_processor"] = nullptr; });
  const TestDirectory directory;
  write(directory, files);
  const Answerer answerer({.model = directory / ".", .threads = 2});
  EXPECT_EQ(code_of([&] { answerer.ask({.question = " ", .context = " "}); }),
            ErrorCode::kInvalidInput);
  EXPECT_EQ(answerer.tokenize("who", "it").ids.size(), 2U);
}

}  // namespace
}  // namespace lambert
