#include "text/normalizer.h"

namespace lambert {

namespace {

struct StringSink {
  std::string text;
  void put(char32_t c, std::uint32_t) { append_utf8(c, text); }
};

}  // namespace

std::string normalized(const NormalizerOptions& options, std::string_view text) {
  StringSink sink;
  Normalizer<StringSink>(options, sink).run(text, 0);
  return std::move(sink.text);
}

}  // namespace lambert
