#include "text/word_splitter.h"

#include <algorithm>

namespace lambert {

AsciiTable make_ascii_table(const NormalizerOptions& options) {
  AsciiTable table;
  for (char32_t c = 0; c < table.size(); ++c) {
    const std::string text = normalized(options, std::string(1, static_cast<char>(c)));
    AsciiAction& action = table[c];
    if (text.empty()) {
      action.kind = AsciiAction::Kind::kDrop;
      continue;
    }
    action.byte = text.front();
    const CharRecord& record = char_record(static_cast<unsigned char>(action.byte));
    if (record.has(kWhitespace)) action.kind = AsciiAction::Kind::kSpace;
    if (record.has(kPunctuation)) action.kind = AsciiAction::Kind::kPunctuation;
  }
  return table;
}

std::size_t WordSplitter::put_ascii(std::string_view text, std::size_t byte, std::uint32_t source) {
  using Kind = AsciiAction::Kind;
  constexpr std::size_t kChunk = 64;
  const std::size_t begin = byte;
  while (byte < text.size() && static_cast<unsigned char>(text[byte]) < 0x80) {
    const AsciiAction& action = ascii_[static_cast<unsigned char>(text[byte])];
    const std::uint32_t at = source + static_cast<std::uint32_t>(byte - begin);
    if (action.kind == Kind::kWord) {
      char chunk[kChunk];
      const std::size_t limit = std::min(kChunk, text.size() - byte);
      std::size_t size = 0;
      for (; size < limit; ++size) {
        const auto next = static_cast<unsigned char>(text[byte + size]);
        if (next >= 0x80 || ascii_[next].kind != Kind::kWord) break;
        chunk[size] = ascii_[next].byte;
      }
      append_ascii(chunk, size, at);
      byte += size;
      continue;
    }
    if (action.kind != Kind::kDrop) end_word();
    if (action.kind == Kind::kPunctuation) {
      append_ascii(&action.byte, 1, at);
      end_word();
    }
    ++byte;
  }
  return byte - begin;
}

// From now on the sources are kept byte by byte.
void WordSplitter::note_sources() {
  consecutive_ = false;
  sources_.clear();
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    sources_.push_back(first_ + static_cast<std::uint32_t>(i));
  }
}

void WordSplitter::append(char32_t c, std::uint32_t source) {
  if (chars_ == 0) first_ = source;
  last_ = source;
  if (++chars_ > model_.max_chars()) return;
  if (consecutive_) note_sources();
  char bytes[4];
  const std::size_t size = encode_utf8(c, bytes);
  bytes_.append(bytes, size);
  sources_.insert(sources_.end(), size, source);
}

void WordSplitter::append_ascii(const char* bytes, std::size_t size, std::uint32_t source) {
  if (chars_ == 0) first_ = source;
  last_ = source + static_cast<std::uint32_t>(size) - 1;
  const std::size_t room = model_.max_chars() - std::min(model_.max_chars(), chars_);
  chars_ += size;
  size = std::min(size, room);
  if (consecutive_ && source != first_ + bytes_.size()) note_sources();
  bytes_.append(bytes, size);
  if (consecutive_) return;
  for (std::size_t i = 0; i < size; ++i) {
    sources_.push_back(source + static_cast<std::uint32_t>(i));
  }
}

void WordSplitter::end_word() {
  if (chars_ == 0) return;
  if (chars_ > model_.max_chars()) {
    push(model_.unk_id(), first_, last_ + 1);
  } else {
    model_.split(bytes_, scratch_);
    for (const WordPart& part : scratch_.parts) {
      if (consecutive_) {
        push(part.id, first_ + static_cast<std::uint32_t>(part.begin),
             first_ + static_cast<std::uint32_t>(part.end));
      } else {
        push(part.id, sources_[part.begin], sources_[part.end - 1] + 1);
      }
    }
  }
  ++word_;
  bytes_.clear();
  chars_ = 0;
  consecutive_ = true;
}

}  // namespace lambert
