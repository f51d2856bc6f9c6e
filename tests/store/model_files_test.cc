#include "store/model_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "checkpoint/shard_index.h"

namespace lambert {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> shards_of(std::string_view json, std::string_view source) {
  return ShardIndex(json, source).shards();
}

ModelFiles open_files(const std::string& path) {
  return choose_model_files(FileSet::of_directory(path), std::nullopt, shards_of);
}

// A directory of its own for each test, removed at the end.
class ModelFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/model_files_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string path() const { return directory_.string(); }
  void add(const std::string& name, const std::string& content = "content of a file") const {
    std::ofstream(directory_ / name, std::ios::binary) << content;
  }
  void add_model() const {
    add("config.json", "{}");
    add("model.safetensors", "weights");
    add("tokenizer.json", "tokenizer");
  }
  void remove(const std::string& name) const { fs::remove(directory_ / name); }

  std::string refused(const std::string& path, ErrorCode code) const {
    try {
      open_files(path);
    } catch (const Error& error) {
      EXPECT_EQ(error_code_name(error.code()), error_code_name(code)) << error.what();
      return error.what();
    }
    ADD_FAILURE() << "accepted";
    return "";
  }
  void expect_refused(ErrorCode code, const std::vector<std::string>& parts) const {
    const std::string message = refused(path(), code);
    for (const std::string& part : parts) {
      EXPECT_NE(message.find(part), std::string::npos) << message << "\nexpected: " << part;
    }
    EXPECT_NE(message.find(path()), std::string::npos) << message;
  }

  fs::path directory_;
};

TEST_F(ModelFilesTest, AWholeModelIsRead) {
  add_model();
  ModelFiles files = open_files(path());
  EXPECT_EQ(files.path, path());
  EXPECT_EQ(files.config_json, "{}");
  EXPECT_EQ(files.tokenizer_json, "tokenizer");
  EXPECT_FALSE(files.vocab_txt);
  EXPECT_FALSE(files.tokenizer_config_json);
  EXPECT_FALSE(files.special_tokens_map_json);
  EXPECT_FALSE(files.added_tokens_json);
  ASSERT_EQ(files.weights.size(), 1U);
  EXPECT_EQ(files.weights[0].file.text(), "weights");

  remove("tokenizer.json");
  add("vocab.txt", "v");
  add("tokenizer_config.json", "t");
  add("special_tokens_map.json", "s");
  add("added_tokens.json", "a");
  files = open_files(path() + "/");
  EXPECT_FALSE(files.tokenizer_json);
  EXPECT_EQ(files.vocab_txt, "v");
  EXPECT_EQ(files.tokenizer_config_json, "t");
  EXPECT_EQ(files.special_tokens_map_json, "s");
  EXPECT_EQ(files.added_tokens_json, "a");
}

TEST_F(ModelFilesTest, TheDefaultModelIsRead) {
  const ModelFiles files = open_files(LAMBERT_SOURCE_DIR "/models/distilbert-minilm-squad");
  EXPECT_TRUE(files.tokenizer_json);
  EXPECT_TRUE(files.vocab_txt);
  EXPECT_EQ(files.weights.size(), 1U);
}

TEST_F(ModelFilesTest, AllShardsOfAnIndexAreMapped) {
  add_model();
  remove("model.safetensors");
  add("model.safetensors.index.json", R"({"weight_map":{"b":"2.safetensors","a":"1.safetensors",
                                         "c":"1.safetensors"}})");
  add("1.safetensors", "one");
  add("2.safetensors", "two");
  {
    const ModelFiles files = open_files(path());
    ASSERT_EQ(files.weights.size(), 2U);
    EXPECT_EQ(files.weights[0].file.text(), "one");
    EXPECT_EQ(files.weights[1].file.text(), "two");
  }
  remove("2.safetensors");
  expect_refused(ErrorCode::kNotFound, {"names the shard \"2.safetensors\"", "\"1.safetensors\""});
  // A single file goes before the index, as in transformers.
  add("model.safetensors", "whole");
  EXPECT_EQ(open_files(path()).weights.at(0).file.text(), "whole");
}

TEST_F(ModelFilesTest, AnIndexCannotNameFilesOutsideTheDirectory) {
  add_model();
  remove("model.safetensors");
  for (const std::string name : {"../1.safetensors", "/etc/passwd", "sub/1.safetensors"}) {
    add("model.safetensors.index.json", R"({"weight_map":{"a":")" + name + R"("}})");
    expect_refused(ErrorCode::kInvalidModel, {"index.json", name});
  }
}

TEST_F(ModelFilesTest, APathThatIsNotThereIsExplained) {
  const auto refused_path = [](const std::string& path) -> std::string {
    try {
      is_model_directory(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kNotFound);
      return error.what();
    }
    return "";
  };
  EXPECT_NE(refused_path("").find("is empty"), std::string::npos);
  const std::string missing = refused_path(path() + "/none");
  EXPECT_NE(missing.find("no such file or directory"), std::string::npos) << missing;
  EXPECT_EQ(missing.find("hf://"), std::string::npos) << missing;
  const std::string hub = refused_path("no-such-owner/no-such-model");
  EXPECT_NE(hub.find("pass hf://no-such-owner/no-such-model"), std::string::npos) << hub;
  add_model();
  const std::string below = refused_path(path() + "/config.json/x");
  EXPECT_NE(below.find("no such file or directory"), std::string::npos) << below;
  EXPECT_TRUE(is_model_directory(path()));
  EXPECT_FALSE(is_model_directory(path() + "/model.safetensors"));
}

TEST_F(ModelFilesTest, AnEmptyDirectoryIsExplained) {
  expect_refused(ErrorCode::kNotFound, {"there are no files", "config.json"});
}

TEST_F(ModelFilesTest, MissingFilesAreNamedWithWhatIsThere) {
  add_model();
  remove("config.json");
  expect_refused(ErrorCode::kNotFound,
                 {"has no config.json", "found: \"model.safetensors\", \"tokenizer.json\""});
  add("config.json");
  remove("tokenizer.json");
  expect_refused(ErrorCode::kNotFound, {"neither tokenizer.json nor vocab.txt", "found: "});
  add("spiece.model");
  expect_refused(ErrorCode::kUnsupportedModel, {"\"spiece.model\"", "AutoTokenizer"});
  add("vocab.txt");
  remove("model.safetensors");
  expect_refused(ErrorCode::kNotFound,
                 {"neither model.safetensors nor pytorch_model.bin", "found: "});
}

TEST_F(ModelFilesTest, LongListingsAreCut) {
  for (int i = 0; i < 40; ++i) add("file" + std::to_string(i));
  expect_refused(ErrorCode::kNotFound, {"and 28 more"});
}

TEST_F(ModelFilesTest, OtherFormatsOfWeightsComeWithAdvice) {
  add_model();
  remove("model.safetensors");
  const std::pair<const char*, const char*> cases[] = {
      {"model.onnx", "ONNX"},
      {"model.Q8_0.gguf", "GGUF"},
      {"rust_model.ot", "rust-bert"},
      {"tf_model.h5", "from_tf=True"},
      {"flax_model.msgpack", "from_flax=True"},
      {"bert_model.ckpt.index", "TensorFlow 1"},
      {"adapter_model.safetensors", "merge_and_unload()"},
  };
  for (const auto& [name, part] : cases) {
    add(name);
    expect_refused(ErrorCode::kUnsupportedModel, {"found \"" + std::string(name) + '"', part});
    remove(name);
  }
  fs::create_directory(directory_ / "onnx");
  expect_refused(ErrorCode::kUnsupportedModel, {"ONNX"});
}

TEST_F(ModelFilesTest, TrainingArgumentsAreNoWeights) {
  add_model();
  remove("model.safetensors");
  for (const char* name : {"training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state.pth",
                           "scaler.pt", "._model.safetensors"}) {
    add(name);
  }
  expect_refused(ErrorCode::kNotFound, {"has neither model.safetensors"});
}

TEST_F(ModelFilesTest, WeightsAreTakenInOneOrder) {
  add_model();
  remove("model.safetensors");
  add("model.safetensors.index.json", R"({"weight_map":{"a":"1.safetensors"}})");
  add("1.safetensors", "a shard");
  add("pytorch_model.bin", "pytorch");
  EXPECT_EQ(open_files(path()).weights.at(0).name, "pytorch_model.bin");
  remove("pytorch_model.bin");
  add("pytorch_model.bin.index.json", R"({"weight_map":{"a":"1.bin"}})");
  EXPECT_EQ(open_files(path()).weights.at(0).name, "1.safetensors");
  remove("model.safetensors.index.json");
  remove("1.safetensors");
  expect_refused(ErrorCode::kNotFound, {"bin.index.json: names the shard \"1.bin\""});
  remove("pytorch_model.bin.index.json");
  add("training_args.bin");
  add("squad.bin", "the only one");
  EXPECT_EQ(open_files(path()).weights.at(0).file.text(), "the only one");
  add("other.bin");
  expect_refused(
      ErrorCode::kInvalidModel,
      {"\"other.bin\" and \"squad.bin\" could each be the weights", "pytorch_model.bin"});
  add("weights.safetensors");
  EXPECT_EQ(open_files(path()).weights.at(0).name, "weights.safetensors");
}

TEST_F(ModelFilesTest, ConfigurationAndTokenizerMayStandBeside) {
  const fs::path weights = directory_ / "weights";
  fs::create_directory(weights);
  add_model();
  add("vocab.txt", "vocabulary beside");
  remove("model.safetensors");
  add("weights/pytorch_model.bin", "weights");
  const auto open = [&] {
    return choose_model_files(FileSet::of_directory(weights.string()),
                              FileSet::of_directory(path()), shards_of);
  };
  ModelFiles files = open();
  EXPECT_EQ(files.config_path, path() + "/config.json");
  EXPECT_EQ(files.tokenizer_json, "tokenizer");
  EXPECT_EQ(files.vocab_txt, "vocabulary beside");
  EXPECT_EQ(files.path, weights.string());
  // What is with the weights goes first; of a tokenizer, all or nothing.
  add("weights/config.json", R"({"inside":1})");
  add("weights/vocab.txt", "vocabulary inside");
  files = open();
  EXPECT_EQ(files.config_json, R"({"inside":1})");
  EXPECT_EQ(files.vocab_txt, "vocabulary inside");
  EXPECT_FALSE(files.tokenizer_json);
}

TEST_F(ModelFilesTest, FilesInMemoryAreChosenAmongLikeOthers) {
  std::vector<NamedFile> held;
  for (const std::string name : {"vocab.txt", "model.safetensors", "config.json"}) {
    MappedFile file = MappedFile::in_memory("model.tar.gz: ./" + name, name.size());
    std::copy(name.begin(), name.end(), reinterpret_cast<char*>(file.writable().data()));
    held.push_back({name, std::move(file)});
  }
  const ModelFiles files = choose_model_files(FileSet::of_memory("model.tar.gz", std::move(held)),
                                              std::nullopt, shards_of);
  EXPECT_EQ(files.path, "model.tar.gz");
  EXPECT_EQ(files.config_json, "config.json");
  EXPECT_EQ(files.vocab_txt, "vocab.txt");
  EXPECT_EQ(files.weights.at(0).file.text(), "model.safetensors");
  EXPECT_EQ(files.weights.at(0).file.path(), "model.tar.gz: ./model.safetensors");
}

TEST_F(ModelFilesTest, GitLfsPointersAreRecognised) {
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 45142924\n";
  for (const std::string name : {"model.safetensors", "tokenizer.json", "config.json"}) {
    add_model();
    add(name, pointer);
    expect_refused(ErrorCode::kInvalidModel, {name, "git lfs pull"});
  }
}

TEST_F(ModelFilesTest, BrokenLinksAndDirectoriesInPlaceOfFilesAreNamed) {
  add_model();
  remove("tokenizer.json");
  fs::create_symlink("../../blobs/missing", directory_ / "tokenizer.json");
  expect_refused(ErrorCode::kNotFound, {"tokenizer.json", "No such file"});
  remove("tokenizer.json");
  fs::create_directory(directory_ / "tokenizer.json");
  expect_refused(ErrorCode::kIo, {"tokenizer.json", "is a directory"});
}

TEST_F(ModelFilesTest, LinksToFilesAreFollowed) {
  add_model();
  add("blob", "linked weights");
  remove("model.safetensors");
  fs::create_symlink("blob", directory_ / "model.safetensors");
  EXPECT_EQ(open_files(path()).weights.at(0).file.text(), "linked weights");
}

TEST_F(ModelFilesTest, TextFilesAreLimited) {
  add_model();
  fs::resize_file(directory_ / "tokenizer.json", (std::uintmax_t{64} << 20) + 1);
  expect_refused(ErrorCode::kLimitExceeded, {"tokenizer.json", "at most 67108864"});
}

}  // namespace
}  // namespace lambert
