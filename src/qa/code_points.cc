#include "qa/code_points.h"

#include "base/utf8.h"

namespace lambert {
namespace {

constexpr std::size_t kSampleEvery = 256;

}  // namespace

CodePointIndex::CodePointIndex(std::string_view text) : text_(text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!begins_code_point(text[i])) continue;
    if (size_ % kSampleEvery == 0) samples_.push_back(i);
    ++size_;
  }
}

std::size_t CodePointIndex::byte(std::size_t index) const {
  if (index >= size_) return text_.size();
  if (size_ == text_.size()) return index;  // ASCII
  std::size_t position = samples_[index / kSampleEvery];
  for (std::size_t left = index % kSampleEvery; left > 0; --left) {
    do ++position;
    while (position < text_.size() && !begins_code_point(text_[position]));
  }
  return position;
}

std::string_view CodePointIndex::slice(std::size_t start, std::size_t end) const {
  if (end <= start) return {};
  const std::size_t first = byte(start);
  return text_.substr(first, byte(end) - first);
}

}  // namespace lambert
