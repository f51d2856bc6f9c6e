// Any bytes as tokenizer.json, and as tokenizer_config.json after a NUL.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\0'), size);
  lambert::TokenizerFiles files{.tokenizer_json = input.substr(0, end)};
  if (end < size) files.tokenizer_config_json = input.substr(end + 1);
  try {
    const auto tokenizer = lambert::Tokenizer::create(files);
    static_cast<void>(tokenizer->encode("a [SEP] \u00e9\u0301\u4e2d tok  tok the new york. aaaa"));
  } catch (const lambert::Error&) {
  }
  return 0;
}
