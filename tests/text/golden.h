// Reading goldens and comparing encodings with them.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/mapped_file.h"
#include "text/tokenizer.h"

namespace lambert {

inline std::string source_file(const std::string& path) {
  return read_file(std::string(LAMBERT_SOURCE_DIR) + "/" + path, std::size_t{1} << 28);
}

inline boost::json::value golden(const std::string& name) {
  return parse_json(source_file("tests/text/data/" + name), name, ErrorCode::kInvalidModel);
}

inline std::string_view view(const boost::json::value& value) {
  return {value.as_string().data(), value.as_string().size()};
}

// The default model's tokenizer.
inline std::unique_ptr<const Tokenizer> default_tokenizer() {
  const std::string folder = "models/distilbert-minilm-squad/";
  const std::string json = source_file(folder + "tokenizer.json");
  const std::string config = source_file(folder + "tokenizer_config.json");
  return Tokenizer::create({.tokenizer_json = json, .tokenizer_config_json = config});
}

inline std::vector<std::uint32_t> numbers(const boost::json::value& list) {
  std::vector<std::uint32_t> result;
  for (const auto& element : list.as_array()) {
    if (element.is_array()) {
      for (const std::uint32_t x : numbers(element)) result.push_back(x);
    } else {
      result.push_back(element.to_number<std::uint32_t>());
    }
  }
  return result;
}

// "" or what is different. `expected`: [ids, offsets, word ids].
inline std::string difference(const Encoding& found, const boost::json::value& expected) {
  std::vector<std::uint32_t> offsets;
  for (std::size_t i = 0; i < found.size(); ++i) {
    offsets.push_back(found.start[i]);
    offsets.push_back(found.end[i]);
  }
  const auto& parts = expected.as_array();
  if (std::vector<std::uint32_t>(found.ids.begin(), found.ids.end()) != numbers(parts[0])) {
    return "ids";
  }
  if (offsets != numbers(parts[1])) return "offsets";
  if (found.word != numbers(parts[2])) return "word ids";
  return "";
}

// The digest that tools/goldens/tokens.py describes.
class Digest {
 public:
  void add(const Encoding& encoding) {
    for (std::size_t i = 0; i < encoding.size(); ++i) {
      add(static_cast<std::uint32_t>(encoding.ids[i]));
      add(encoding.start[i]);
      add(encoding.end[i]);
      add(encoding.word[i]);
    }
  }
  std::string hex() const {
    char text[17];
    std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(hash_));
    return text;
  }

 private:
  void add(std::uint32_t x) { hash_ = hash_ * 0x9E3779B97F4A7C15 + x + 1; }
  std::uint64_t hash_ = 0;
};

}  // namespace lambert
