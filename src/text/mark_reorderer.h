// Canonical ordering of combining marks (Unicode Standard, section 3.11), one run at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lambert {

// Collects the characters of a run with a combining class other than 0 and gives them back sorted
// by class, stably. As in the `tokenizers` crate, the source (the place in the text) does not
// travel with a character: a character that begins the decomposition of a source character has the
// source of the place where it lands, any other the source of the one before it.
// Time is linear in the length of the run; so is memory, up to 20 bytes a character of the longest
// run.
class MarkReorderer {
 public:
  bool empty() const { return marks_.empty(); }

  // `begins_source`: first in the decomposition of the source character at `source`.
  void add(char32_t c, std::uint8_t combining_class, bool kept, bool begins_source,
           std::uint32_t source) {
    marks_.push_back({c, combining_class, kept, begins_source});
    any_kept_ = any_kept_ || kept;
    if (begins_source) sources_.push_back(source);
  }

  // Calls emit(char32_t, source) for the characters that are kept and forgets the run.
  // `source_before`: of the character before the run.
  template <typename Emit>
  void flush(std::uint32_t source_before, Emit&& emit) {
    if (any_kept_) {
      if (marks_.size() > 1) sort();
      std::size_t begun = 0;
      for (const Mark& mark : marks_) {
        if (mark.begins_source) ++begun;
        if (mark.kept) emit(mark.c, begun == 0 ? source_before : sources_[begun - 1]);
      }
    }
    marks_.clear();
    sources_.clear();
    any_kept_ = false;
  }

 private:
  struct Mark {
    char32_t c;
    std::uint8_t combining_class;
    bool kept, begins_source;
  };
  void sort();

  std::vector<Mark> marks_;
  std::vector<Mark> sorted_;            // scratch of sort()
  std::vector<std::uint32_t> sources_;  // of the marks that begin one, in the order of the text
  bool any_kept_ = false;
};

}  // namespace lambert
