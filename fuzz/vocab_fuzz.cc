// Any bytes as vocab.txt, and each token of it as a text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = "[UNK]\n" + std::string(reinterpret_cast<const char*>(data), size);
  try {
    const auto tokenizer = lambert::Tokenizer::create({.vocab_txt = text});
    for (std::size_t id = 0; id < tokenizer->vocab_size() && id < 64; ++id) {
      const std::string token(tokenizer->token(static_cast<std::int32_t>(id)));
      const lambert::Encoding encoding = tokenizer->encode(token);
      for (const std::int32_t found : encoding.ids) {
        if (static_cast<std::size_t>(found) >= tokenizer->vocab_size()) std::abort();
      }
    }
  } catch (const lambert::Error&) {
  }
  return 0;
}
