#include "checkpoint/shard_index.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace lambert {
namespace {

std::vector<std::string> shards_of(const std::string& json, const std::string& source) {
  return ShardIndex(json, source).shards();
}

TEST(ShardIndex, NamesEachShardOnceSorted) {
  const auto names = shards_of(
      R"({"metadata":{"total_size":8},"weight_map":{"c":"model-00002-of-00002.safetensors",
          "a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}})",
      "index");
  EXPECT_EQ(names, (std::vector<std::string>{"model-00001-of-00002.safetensors",
                                             "model-00002-of-00002.safetensors"}));
}

TEST(ShardIndex, OnlyPlainFileNamesAreAccepted) {
  for (const std::string name :
       {"", ".", "..", "/etc/passwd", "../model.safetensors", "a/b.safetensors", "/a.safetensors",
        "a\\\\b.safetensors", "..safetensors", ".safetensors", ".a.safetensors", "C:a.safetensors",
        "a\\u0000.safetensors", "a\\nb.safetensors", "a\\u202eb.safetensors", "model.pkl",
        "model.safetensors/"}) {
    EXPECT_THROW(shards_of(R"({"weight_map":{"a":")" + name + R"("}})", "index"), Error) << name;
  }
  EXPECT_THROW(
      shards_of(R"({"weight_map":{"a":")" + std::string(250, 'x') + R"(.safetensors"}})", "index"),
      Error);
}

TEST(ShardIndex, DamagedOnesAreRefused) {
  for (const char* text : {"", "[]", "{}", "{", R"({"weight_map":[]})", R"({"weight_map":{}})",
                           R"({"weight_map":{"a":1}})", R"({"weight_map":{"a":null}})",
                           R"({"weight_map":{"a":"a.safetensors","a":"b.safetensors"}})"}) {
    EXPECT_THROW(shards_of(text, "index"), Error) << text;
  }
  std::string many = R"({"weight_map":{)";
  for (int i = 0; i <= 1000; ++i) {
    many +=
        (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":\"" + std::to_string(i) + ".safetensors\"";
  }
  EXPECT_THROW(shards_of(many + "}}", "index"), Error);
}

TEST(ShardIndex, ShardsOfPytorchAreAccepted) {
  EXPECT_EQ(shards_of(R"({"weight_map":{"a":"pytorch_model-00001-of-00001.bin"}})", "index"),
            std::vector<std::string>{"pytorch_model-00001-of-00001.bin"});
}

}  // namespace
}  // namespace lambert
