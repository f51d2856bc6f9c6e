#include "text/added_token_matcher.h"

#include <algorithm>

namespace lambert {

void AddedTokenMatcher::put(char32_t c, std::uint32_t source) {
  constexpr std::size_t kCompactAbove = 4096;
  char bytes[4];
  const std::size_t size = encode_utf8(c, bytes);
  bytes_.append(bytes, size);
  sources_.insert(sources_.end(), size, source);
  // One character behind the longest token says whether that is a single word.
  const std::size_t enough = tokens_.normalized().max_length() + 4;
  while (bytes_.size() - head_ >= enough) take_front();
  if (head_ > kCompactAbove) {
    bytes_.erase(0, head_);
    sources_.erase(sources_.begin(), sources_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

void AddedTokenMatcher::end_piece() {
  while (head_ < bytes_.size()) take_front();
  words_.end_word();
  end_stripping();
  bytes_.clear();
  sources_.clear();
  head_ = 0;
  after_word_character_ = stripping_ = false;
  space_start_.reset();
}

// Decides about the character at the front, or the token that starts there.
void AddedTokenMatcher::take_front() {
  const std::string_view rest = std::string_view(bytes_).substr(head_);
  const TokenTrie::Match match = tokens_.normalized().longest(rest);
  if (match.length > 0 && tokens_.matches(tokens_.at(match.value))) {
    if (take_token(match)) return;
    pass_on(match.length);  // the search goes on behind a match that is refused
    return;
  }
  std::size_t one = 0;
  decode_utf8(rest, one);
  pass_on(match.length > 0 ? match.length : one);
}

// False when the token has to be a single word and is not.
bool AddedTokenMatcher::take_token(const TokenTrie::Match& match) {
  const AddedToken& token = tokens_.at(match.value);
  const std::size_t behind = head_ + match.length;
  const bool at_end = behind == bytes_.size();
  if (token.single_word) {
    if (after_word_character_) return false;
    std::size_t next = behind;
    if (!at_end && char_record(decode_utf8(bytes_, next)).has(kRegexWord)) return false;
  }
  const std::optional<std::uint32_t> start = start_of(token, behind);
  words_.end_word();
  const std::uint32_t end = sources_[behind - 1] + 1;
  while (head_ < behind) {
    const std::uint32_t source = sources_[head_];
    note_passed(decode_utf8(bytes_, head_), source);
  }
  if (!start) return true;  // whitespace that the token before has taken
  words_.added_token(match.value, *start, end);
  stripping_ = token.rstrip;
  if (stripping_) strippers_.push_back(encoding_.size() - 1);
  space_start_.reset();
  return true;
}

// Empty for a token that takes whitespace on its left and is nothing but whitespace that the token
// before takes on its right.
std::optional<std::uint32_t> AddedTokenMatcher::start_of(const AddedToken& token,
                                                         std::size_t behind) const {
  if (!token.lstrip) return sources_[head_];
  if (space_start_) return *space_start_;
  for (std::size_t byte = head_; byte < behind;) {
    const std::uint32_t source = sources_[byte];
    const char32_t c = decode_utf8(bytes_, byte);
    if (!stripping_ || !char_record(c).has(kWhitespace)) return source;
  }
  return std::nullopt;
}

void AddedTokenMatcher::pass_on(std::size_t bytes) {
  const std::size_t end = head_ + bytes;
  while (head_ < end) {
    const std::uint32_t source = sources_[head_];
    const char32_t c = decode_utf8(bytes_, head_);
    words_.put(c, source);
    note_passed(c, source);
  }
}

void AddedTokenMatcher::note_passed(char32_t c, std::uint32_t source) {
  const CharRecord& record = char_record(c);
  after_word_character_ = record.has(kRegexWord);
  if (!record.has(kWhitespace)) {
    end_stripping();
    stripping_ = false;
    space_start_.reset();
    return;
  }
  space_end_ = source + 1;
  if (!stripping_ && !space_start_) space_start_ = source;
}

// Each token that takes the whitespace ended there until a character came that is none.
void AddedTokenMatcher::end_stripping() {
  for (const std::size_t token : strippers_) {
    encoding_.end[token] = std::max(encoding_.end[token], space_end_);
  }
  strippers_.clear();
}

}  // namespace lambert
