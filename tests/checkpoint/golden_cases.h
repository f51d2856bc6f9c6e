// Files with the tensors that their own library reads: tests/checkpoint/data/*.jsonl.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "checkpoint/tensor.h"

namespace lambert {

// A tensor with copies of everything that a sink is given.
struct ReadTensor {
  explicit ReadTensor(const Tensor& tensor)
      : name(tensor.name),
        dtype(tensor.dtype),
        shape(tensor.shape),
        data(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size()) {}

  std::string name;
  DType dtype;
  std::vector<std::uint64_t> shape;
  std::string data;
};

// The bytes are copied to a heap block of exactly their size, so that ASan sees reads past it.
// read(bytes, source, sink) is a reader of this layer.
template <typename Read>
std::vector<ReadTensor> copy_tensors(std::string_view file, std::string_view source,
                                     const Read& read) {
  const std::vector<char> bytes(file.begin(), file.end());
  std::vector<ReadTensor> tensors;
  read(std::as_bytes(std::span(bytes)), source,
       [&](const Tensor& tensor) { tensors.emplace_back(tensor); });
  return tensors;
}

inline std::string decode_base64(std::string_view text) {
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

// The lines of a file of cases, whose name is `name`.
inline std::vector<boost::json::object> golden_cases(const std::string& name) {
  std::ifstream lines(LAMBERT_SOURCE_DIR "/tests/checkpoint/data/" + name);
  std::vector<boost::json::object> cases;
  std::string line;
  while (std::getline(lines, line)) {
    cases.push_back(parse_json(line, name, ErrorCode::kInternal).as_object());
  }
  return cases;
}

inline std::string text_field(const boost::json::object& fields, std::string_view name) {
  return std::string(std::string_view(fields.at(name).as_string()));
}

// The field "file", decompressed by zlib to the size "packed" where there is one.
inline std::string golden_file(const boost::json::object& fields) {
  const std::string file = decode_base64(fields.at("file").as_string());
  if (!fields.contains("packed")) return file;
  std::string whole(boost::json::value_to<std::size_t>(fields.at("packed")), '\0');
  uLongf size = whole.size();
  const int status =
      uncompress(reinterpret_cast<Bytef*>(whole.data()), &size,
                 reinterpret_cast<const Bytef*>(file.data()), static_cast<uLong>(file.size()));
  EXPECT_EQ(status, Z_OK);
  EXPECT_EQ(size, whole.size());
  return whole;
}

// `expected`: [name, dtype, shape, base64 of the data] of each, sorted by name.
inline void expect_tensors(std::vector<ReadTensor> found, const boost::json::array& expected,
                           const std::string& name) {
  std::sort(found.begin(), found.end(),
            [](const ReadTensor& a, const ReadTensor& b) { return a.name < b.name; });
  ASSERT_EQ(found.size(), expected.size()) << name;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const boost::json::array& tensor = expected[i].as_array();
    EXPECT_EQ(found[i].name, std::string_view(tensor[0].as_string())) << name;
    EXPECT_EQ(dtype_name(found[i].dtype), std::string_view(tensor[1].as_string())) << name;
    EXPECT_EQ(found[i].shape, boost::json::value_to<std::vector<std::uint64_t>>(tensor[2])) << name;
    EXPECT_EQ(found[i].data, decode_base64(tensor[3].as_string())) << name;
  }
}

}  // namespace lambert
