// Small files, valid and damaged, with the verdict of the safetensors library 0.8
// (tools/goldens/safetensors_cases.py). Ours accepts the same files, save those that one of its
// stricter rules names, and reads the same tensors.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include "base/json.h"
#include "safetensors_file.h"

namespace lambert {
namespace {

namespace json = boost::json;

std::string decode_base64(std::string_view text) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<std::uint32_t>(kDigits.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xFF);
  }
  return bytes;
}

// As the library gives them: sorted by name.
void expect_tensors(std::vector<ReadTensor> found, const json::array& expected,
                    const std::string& name) {
  std::sort(found.begin(), found.end(),
            [](const ReadTensor& a, const ReadTensor& b) { return a.name < b.name; });
  ASSERT_EQ(found.size(), expected.size()) << name;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const json::array& tensor = expected[i].as_array();
    EXPECT_EQ(found[i].name, std::string_view(tensor[0].as_string())) << name;
    EXPECT_EQ(dtype_name(found[i].dtype), std::string_view(tensor[1].as_string())) << name;
    EXPECT_EQ(found[i].shape, json::value_to<std::vector<std::uint64_t>>(tensor[2])) << name;
    EXPECT_EQ(found[i].data, decode_base64(tensor[3].as_string())) << name;
  }
}

TEST(SafetensorsCases, AgreeWithTheLibrary) {
  std::ifstream lines(LAMBERT_SOURCE_DIR "/tests/checkpoint/data/safetensors_cases.jsonl");
  const std::set<std::string> rules = {
      "first byte", "dtype", "rank", "name", "twice", "metadata", "tensor is an object"};
  std::map<std::string, int> seen;
  std::string line;
  while (std::getline(lines, line)) {
    const json::value entry = parse_json(line, "cases", ErrorCode::kInternal);
    const json::object& fields = entry.as_object();
    const std::string name(std::string_view(fields.at("name").as_string()));
    const std::string file = decode_base64(fields.at("file").as_string());
    if (!fields.at("accepted").as_bool()) {
      EXPECT_THROW(read_all(file), Error) << name;
      ++seen["refused"];
    } else if (const json::value* rule = fields.if_contains("stricter")) {
      EXPECT_THROW(read_all(file), Error) << name;
      const std::string text(std::string_view(rule->as_string()));
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
