#include "qa/offsets.h"

#include <algorithm>
#include <vector>

#include "base/utf8.h"

namespace lambert {

void convert_offsets(std::string_view text, OffsetType type, std::span<Answer> answers) {
  if (type == OffsetType::kCodePoint) return;
  std::vector<std::size_t*> offsets;
  for (Answer& answer : answers) {
    offsets.push_back(&answer.start);
    offsets.push_back(&answer.end);
  }
  std::sort(offsets.begin(), offsets.end(),
            [](const std::size_t* a, const std::size_t* b) { return *a < *b; });
  std::size_t byte = 0, code_point = 0, utf16 = 0;
  for (std::size_t* offset : offsets) {
    for (; code_point < *offset && byte < text.size(); ++code_point) {
      utf16 += decode_utf8(text, byte) < 0x10000 ? 1 : 2;
    }
    *offset = type == OffsetType::kUtf8 ? byte : utf16;
  }
}

}  // namespace lambert
