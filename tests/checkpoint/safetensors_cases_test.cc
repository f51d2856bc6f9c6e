// Small files, valid and damaged, with the verdict of the safetensors library 0.8
// (tools/goldens/safetensors_cases.py). Ours accepts the same files, save those that one of its
// stricter rules names, and reads the same tensors.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "safetensors_file.h"

namespace lambert {
namespace {

TEST(SafetensorsCases, AgreeWithTheLibrary) {
  const std::set<std::string> rules = {
      "first byte", "dtype", "rank", "name", "twice", "metadata", "tensor is an object"};
  std::map<std::string, int> seen;
  for (const boost::json::object& fields : golden_cases("safetensors_cases.jsonl")) {
    const std::string name = text_field(fields, "name");
    const std::string file = decode_base64(fields.at("file").as_string());
    if (!fields.at("accepted").as_bool()) {
      EXPECT_THROW(read_all(file), Error) << name;
      ++seen["refused"];
    } else if (fields.contains("stricter")) {
      EXPECT_THROW(read_all(file), Error) << name;
      const std::string text = text_field(fields, "stricter");
      EXPECT_TRUE(rules.contains(text)) << text;
      ++seen[text];
    } else {
      EXPECT_NO_THROW(expect_tensors(read_all(file), fields.at("tensors").as_array(), name))
          << name;
      ++seen["accepted"];
    }
  }
  EXPECT_GE(seen["refused"], 400);
  EXPECT_GE(seen["accepted"], 30);
  EXPECT_EQ(seen.size(), rules.size() + 2);
}

}  // namespace
}  // namespace lambert
