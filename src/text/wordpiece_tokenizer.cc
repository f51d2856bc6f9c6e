#include "text/wordpiece_tokenizer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"
#include "text/added_token_matcher.h"

namespace lambert {

namespace {

// A place in the text, in bytes and in code points.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  std::size_t byte() const { return byte_; }
  // Moves to `byte`, which begins a code point, and returns the number of that.
  std::uint32_t move(std::size_t byte) {
    if (byte >= byte_) {
      point_ += static_cast<std::uint32_t>(count_code_points(text_.substr(byte_, byte - byte_)));
    } else {
      point_ -= static_cast<std::uint32_t>(count_code_points(text_.substr(byte, byte_ - byte)));
    }
    byte_ = byte;
    return point_;
  }

 private:
  std::string_view text_;
  std::size_t byte_ = 0;
  std::uint32_t point_ = 0;
};

bool is_space(char32_t c) {
  return char_record(c).has(kWhitespace);
}
bool is_word(char32_t c) {
  return char_record(c).has(kRegexWord);
}

bool is_single_word(std::string_view text, std::size_t begin, std::size_t end) {
  if (begin > 0 && is_word(decode_utf8_before(text, begin))) return false;
  return end == text.size() || !is_word(decode_utf8(text, end));
}

// One encoding on its way.
class Encoder {
 public:
  Encoder(const WordPiece& model, const AddedTokens& added, const NormalizerOptions& options,
          const AsciiTable& ascii, std::string_view text, Encoding& out)
      : added_(added),
        text_(text),
        cursor_(text),
        space_cursor_(text),
        words_(model, ascii, out),
        matcher_(added, words_, out),
        normalizer_(options, words_),
        matching_normalizer_(options, matcher_) {}

  // Cuts the tokens out that are looked for in the raw text.
  void run() {
    const TokenTrie& trie = added_.raw();
    std::size_t done = 0;  // bytes that are tokens or in pieces already
    for (std::size_t at = 0; (at = trie.next_candidate(text_, at)) < text_.size();) {
      const TokenTrie::Match match = trie.longest(text_.substr(at));
      if (match.length == 0) {
        ++at;
        continue;
      }
      done = added_token(match, at, done);
      at += match.length;
    }
    piece(done, text_.size());
  }

 private:
  // Returns where the text behind the token begins, or `done` when it does not count.
  std::size_t added_token(const TokenTrie::Match& match, std::size_t begin, std::size_t done) {
    const AddedToken& token = added_.at(match.value);
    const std::size_t behind = begin + match.length;
    if (!added_.matches(token)) return done;
    if (token.single_word && !is_single_word(text_, begin, behind)) return done;
    if (token.lstrip) {
      begin = std::max(begin, done);
      while (begin > done && is_space(decode_utf8_before(text_, begin))) {
        begin = code_point_before(text_, begin);
      }
    }
    const std::size_t end = token.rstrip ? space_end(behind) : behind;
    if (begin >= end) return done;  // whitespace that the token before has taken
    piece(done, begin);
    const std::uint32_t first = cursor_.move(begin);
    Cursor& cursor = end == behind ? cursor_ : space_cursor_;
    words_.added_token(match.value, first, cursor.move(end));
    return end;
  }

  // Where the whitespace at `begin` ends. Calls go from left to right.
  std::size_t space_end(std::size_t begin) {
    if (begin < space_end_) return space_end_;
    space_end_ = begin;
    for (std::size_t next = begin; next < text_.size() && is_space(decode_utf8(text_, next));) {
      space_end_ = next;
    }
    return space_end_;
  }

  // Text without raw added tokens.
  void piece(std::size_t begin, std::size_t end) {
    if (begin >= end) return;
    const std::uint32_t source = cursor_.move(begin);
    const std::string_view text = text_.substr(begin, end - begin);
    if (added_.normalized().empty()) {
      normalizer_.run(text, source);
      words_.end_word();
    } else {
      matching_normalizer_.run(text, source);
      matcher_.end_piece();
    }
  }

  const AddedTokens& added_;
  std::string_view text_;
  Cursor cursor_;
  // Tokens of whitespace may all end where it ends. With one cursor, which would go back for each,
  // and without the second member 40,000 of them took 5.7 s.
  Cursor space_cursor_;
  std::size_t space_end_ = 0;  // of the whitespace that was looked at last
  WordSplitter words_;
  AddedTokenMatcher matcher_;
  Normalizer<WordSplitter> normalizer_;
  Normalizer<AddedTokenMatcher> matching_normalizer_;
};

}  // namespace

namespace {

// What comes first in the bytes; a later layout has another one.
constexpr std::uint32_t kPackedLayout = 1;
constexpr std::uint32_t kNoId = 0xFFFFFFFF;

void write_normalizer(const NormalizerOptions& options, FlatWriter& packed) {
  packed.u32((options.clean_text ? 1U : 0U) | (options.handle_chinese_chars ? 2U : 0U) |
             (options.strip_accents ? 4U : 0U) | (options.lowercase ? 8U : 0U));
}

NormalizerOptions read_normalizer_flags(FlatReader& packed) {
  const std::uint32_t flags = packed.u32();
  return {(flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, (flags & 8) != 0};
}

NormalizerOptions begin_packed(FlatReader& packed) {
  if (const std::uint32_t layout = packed.u32(); layout != kPackedLayout) {
    fail(ErrorCode::kUnsupportedModel, packed.source(), ": its tokenizer has the layout ", layout,
         ", this Lambert reads ", kPackedLayout, "; pack the model anew");
  }
  return read_normalizer_flags(packed);
}

// The question once and the context once, as windows are planned for.
std::vector<TemplatePiece> read_packed_template(FlatReader& packed) {
  using Kind = TemplatePiece::Kind;
  std::vector<TemplatePiece> pieces;
  std::size_t questions = 0, contexts = 0;
  for (std::uint64_t left = packed.u64(); left > 0; --left) {
    const auto kind =
        static_cast<Kind>(packed.u32(0, 2, "the kind of a piece of the pair template"));
    const auto id = static_cast<std::int32_t>(packed.u32());
    pieces.push_back({kind, id, static_cast<std::int32_t>(packed.u32())});
    questions += kind == Kind::kQuestion ? 1 : 0;
    contexts += kind == Kind::kContext ? 1 : 0;
  }
  if (questions != 1 || contexts != 1) {
    packed.refuse("the pair template has ", questions, " questions and ", contexts,
                  " contexts, expected one of each");
  }
  return pieces;
}

}  // namespace

std::string WordPieceTokenizer::pack() const {
  FlatWriter packed;
  packed.u32(kPackedLayout);
  write_normalizer(normalizer_, packed);
  model_.write(packed);
  added_tokens_.write(packed);
  packed.u64(pair_template_.size());
  for (const TemplatePiece& piece : pair_template_) {
    packed.u32(static_cast<std::uint32_t>(piece.kind));
    packed.u32(static_cast<std::uint32_t>(piece.id));
    packed.u32(static_cast<std::uint32_t>(piece.type_id));
  }
  packed.u32(cls_id_ ? static_cast<std::uint32_t>(*cls_id_) : kNoId);
  packed.u64(model_max_length_.value_or(0));
  return packed.take();
}

WordPieceTokenizer::WordPieceTokenizer(FlatReader& packed)
    : normalizer_(begin_packed(packed)),
      model_(packed),
      added_tokens_(packed, normalizer_),
      ascii_(make_ascii_table(normalizer_)) {
  pair_template_ = read_packed_template(packed);
  if (const std::uint32_t id = packed.u32(); id != kNoId) cls_id_ = static_cast<std::int32_t>(id);
  if (const std::uint64_t length = packed.u64(); length != 0) {
    model_max_length_ = static_cast<std::size_t>(length);
  }
}

WordPieceTokenizer::WordPieceTokenizer(Parts parts)
    : normalizer_(parts.normalizer),
      model_(std::move(parts.model)),
      added_tokens_(std::move(parts.added_tokens)),
      ascii_(make_ascii_table(parts.normalizer)) {
  pair_template_ = std::move(parts.pair_template);
  cls_id_ = parts.cls_id;
  model_max_length_ = parts.model_max_length;
}

Encoding WordPieceTokenizer::encode(std::string_view text) const {
  constexpr std::size_t kMaxCodePoints = std::numeric_limits<std::uint32_t>::max() - 1;
  const Utf8Check check = check_utf8(text);
  if (check.error_byte) {
    fail(ErrorCode::kInvalidInput, "text is not valid UTF-8 at byte ", *check.error_byte);
  }
  if (check.code_points > kMaxCodePoints) {
    fail(ErrorCode::kLimitExceeded, "text of ", check.code_points, " code points, at most ",
         kMaxCodePoints, " are accepted");
  }
  Encoding encoding;
  // English has 4.5 bytes a token. Long texts grow by doubling, as they may have few tokens.
  const std::size_t guess = std::min<std::size_t>(text.size() / 4 + 1, 1 << 16);
  encoding.ids.reserve(guess);
  encoding.start.reserve(guess);
  encoding.end.reserve(guess);
  encoding.word.reserve(guess);
  Encoder(model_, added_tokens_, normalizer_, ascii_, text, encoding).run();
  return encoding;
}

std::size_t WordPieceTokenizer::vocab_size() const {
  return static_cast<std::size_t>(
      std::int64_t{std::max(model_.vocabulary().max_id(), added_tokens_.max_id())} + 1);
}

std::string_view WordPieceTokenizer::token(std::int32_t id) const {
  const auto added = added_tokens_.by_id().find(id);
  return added != added_tokens_.by_id().end() ? std::string_view(added->second.content)
                                              : model_.vocabulary().token(id);
}

}  // namespace lambert
