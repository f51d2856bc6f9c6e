#include "text/vocab_txt.h"

#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"
#include "text/unicode.h"

namespace lambert {

namespace {

std::string_view trim_end(std::string_view line) {
  while (!line.empty() && char_record(decode_utf8_before(line, line.size())).has(kWhitespace)) {
    line = line.substr(0, code_point_before(line, line.size()));
  }
  return line;
}

}  // namespace

std::vector<VocabularyEntry> parse_vocab_txt(std::string_view text) {
  const Utf8Check check = check_utf8(text);
  if (check.error_byte) {
    fail(ErrorCode::kInvalidModel, "vocab.txt: not valid UTF-8 at byte ", *check.error_byte);
  }
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) +
                     (text.ends_with('\n') ? 0 : 1);
  check_vocabulary_size(lines, "vocab.txt");
  std::vector<VocabularyEntry> entries;
  entries.reserve(lines);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    entries.push_back({trim_end(text.substr(0, end)), static_cast<std::int32_t>(entries.size())});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return entries;
}

}  // namespace lambert
