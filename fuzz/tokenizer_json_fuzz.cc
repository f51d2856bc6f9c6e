// Any bytes as tokenizer.json, and as tokenizer_config.json after a NUL: either refused, or tokens
// cover characters of the text.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "base/utf8.h"
#include "text/tokenizer.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// Whitespace alone and in runs, as added tokens may take it from each other.
constexpr char kText[] =
    "a [SEP] \u00e9\u0301\u4e2d tok  tok the new york. aaaa New York\u200b\t a   b \t \n a\t x ";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\0'), size);
  lambert::TokenizerFiles files{.tokenizer_json = input.substr(0, end)};
  if (end < size) files.tokenizer_config_json = input.substr(end + 1);
  try {
    const auto tokenizer = lambert::Tokenizer::create(files);
    const lambert::Encoding encoding = tokenizer->encode(kText);
    const std::size_t length = lambert::count_code_points(kText);
    for (std::size_t i = 0; i < encoding.size(); ++i) {
      require(encoding.start[i] < encoding.end[i] && encoding.end[i] <= length);
      require(encoding.ids[i] >= 0);
    }
  } catch (const lambert::Error&) {
  }
  return 0;
}
