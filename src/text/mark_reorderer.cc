#include "text/mark_reorderer.h"

#include <algorithm>
#include <array>

namespace lambert {

// Insertion for the usual handful, counting for attacks.
void MarkReorderer::sort() {
  constexpr std::size_t kFew = 16;
  if (marks_.size() <= kFew) {
    for (std::size_t i = 1; i < marks_.size(); ++i) {
      const Mark mark = marks_[i];
      std::size_t j = i;
      for (; j > 0 && marks_[j - 1].combining_class > mark.combining_class; --j) {
        marks_[j] = marks_[j - 1];
      }
      marks_[j] = mark;
    }
    return;
  }
  std::array<std::size_t, 256> next{};  // where the next mark of a class goes
  for (const Mark& mark : marks_) ++next[mark.combining_class];
  std::size_t begin = 0;
  for (std::size_t& slot : next) {
    const std::size_t count = slot;
    slot = begin;
    begin += count;
  }
  sorted_.resize(marks_.size());
  for (const Mark& mark : marks_) sorted_[next[mark.combining_class]++] = mark;
  marks_.swap(sorted_);
}

}  // namespace lambert
