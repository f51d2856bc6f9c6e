// Where the n-th code point of a text begins.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace lambert {

// Code point offsets -> bytes of one text, in constant time after one pass over it. Keeps a view of
// the text, and 8 bytes for each 256 code points.
class CodePointIndex {
 public:
  explicit CodePointIndex(std::string_view text);

  std::size_t size() const { return size_; }  // code points
  // Where code point `index` begins; the end of the text for index >= size().
  std::size_t byte(std::size_t index) const;
  // Code points [start, end); empty where end <= start.
  std::string_view slice(std::size_t start, std::size_t end) const;

 private:
  std::string_view text_;
  std::size_t size_ = 0;
  std::vector<std::size_t> samples_;  // byte of each 256th code point
};

}  // namespace lambert
