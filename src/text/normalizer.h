// The normaliser of BERT: clean, space out Chinese characters, strip accents, lower-case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "text/mark_reorderer.h"
#include "text/unicode.h"

namespace lambert {

// All false: the text stays as it is. Steps in the order of the fields.
struct NormalizerOptions {
  bool clean_text = false;
  bool handle_chinese_chars = false;
  bool strip_accents = false;  // NFD, then without nonspacing marks
  bool lowercase = false;
};

// Normalises a text character by character, so that no normalised text is ever held. Each
// character goes to sink.put(char32_t c, std::uint32_t source) with the code point's number that it
// comes from; sources never decrease. A sink may take runs of ASCII itself, see `run`.
template <typename Sink>
class Normalizer {
 public:
  Normalizer(const NormalizerOptions& options, Sink& sink) : options_(options), sink_(sink) {}

  // `text` is valid UTF-8, `source` the number of its first code point. Nothing is kept from one
  // run to the next: marks are ordered within a run.
  void run(std::string_view text, std::uint32_t source) {
    for (std::size_t byte = 0; byte < text.size();) {
      if constexpr (requires { sink_.put_ascii(text, byte, source); }) {
        // With marks pending, ASCII that clean_text drops must not end their run. A run behind
        // ASCII has a source of its own before any other mark, so last_source_ may stay.
        if (marks_.empty() && static_cast<unsigned char>(text[byte]) < 0x80) {
          // Normalises and takes at least one byte, up to the next one that is not ASCII.
          const std::size_t taken = sink_.put_ascii(text, byte, source);
          byte += taken;
          source += static_cast<std::uint32_t>(taken);
          continue;
        }
      }
      clean(decode_utf8(text, byte), source++);
    }
    flush_marks();
  }

 private:
  void clean(char32_t c, std::uint32_t source) {
    const CharRecord& record = char_record(c);
    if (options_.clean_text && record.has(kCleanRemoves | kCleanToSpace)) {
      if (record.has(kCleanToSpace)) starter(U' ', source);
      return;
    }
    const bool spaced = options_.handle_chinese_chars && record.has(kChinese);
    if (spaced) starter(U' ', source);
    if (options_.strip_accents) {
      strip_accents(c, record, source);
    } else {
      starter(c, source);
    }
    if (spaced) starter(U' ', source);
  }

  void strip_accents(char32_t c, const CharRecord& record, std::uint32_t source) {
    if (c >= hangul::kFirst && c <= hangul::kLast) {
      const char32_t index = c - hangul::kFirst;
      starter(hangul::kLeading + index / (hangul::kVowels * hangul::kTrailings), source);
      starter(hangul::kVowel + index / hangul::kTrailings % hangul::kVowels, source);
      if (index % hangul::kTrailings != 0) {
        starter(hangul::kTrailing + index % hangul::kTrailings, source);
      }
      return;
    }
    if (record.decomposition == 0) {
      decomposed(c, record, true, source);
      return;
    }
    bool first = true;
    for (const char32_t part : decomposition(record)) {
      decomposed(part, char_record(part), first, source);
      first = false;
    }
  }

  void decomposed(char32_t c, const CharRecord& record, bool first, std::uint32_t source) {
    const bool kept = !record.has(kMarkNonspacing);
    if (record.combining_class != 0) {
      marks_.add(c, record.combining_class, kept, first, source);
    } else if (kept) {
      starter(c, source);
    } else {
      flush_marks();
      last_source_ = source;
    }
  }

  void starter(char32_t c, std::uint32_t source) {
    flush_marks();
    last_source_ = source;
    lower(c, source);
  }

  void lower(char32_t c, std::uint32_t source) {
    if (!options_.lowercase) {
      sink_.put(c, source);
      return;
    }
    sink_.put(lower_case(c), source);
    if (c == kCapitalIWithDot) sink_.put(kCombiningDotAbove, source);
  }

  void flush_marks() {
    if (marks_.empty()) return;
    marks_.flush(last_source_, [this](char32_t c, std::uint32_t source) { lower(c, source); });
  }

  NormalizerOptions options_;
  Sink& sink_;
  MarkReorderer marks_;
  std::uint32_t last_source_ = 0;  // of the last starter
};

// The normalised text.
std::string normalized(const NormalizerOptions& options, std::string_view text);

}  // namespace lambert
