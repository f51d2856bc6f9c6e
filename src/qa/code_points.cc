#include "qa/code_points.h"

#include <algorithm>

namespace lambert {
namespace {

constexpr std::size_t kSampleEvery = 256;

bool begins_code_point(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}

// Bytes of the code point that begins with `lead`.
std::size_t encoded_length(unsigned char lead) {
  if (lead < 0xC0) return 1;
  if (lead < 0xE0) return 2;
  return lead < 0xF0 ? 3 : 4;
}

}  // namespace

char32_t next_code_point(std::string_view text, std::size_t& position) {
  const auto lead = static_cast<unsigned char>(text[position++]);
  const std::size_t length = encoded_length(lead);
  if (length == 1) return lead;
  char32_t value = lead & (0xFFU >> (length + 1));
  for (std::size_t k = 1; k < length && position < text.size(); ++k) {
    value = (value << 6) | (static_cast<unsigned char>(text[position++]) & 0x3FU);
  }
  return value;
}

void append_code_point(char32_t code_point, std::string& utf8) {
  const auto tail = [&](unsigned shift) {
    utf8.push_back(static_cast<char>(0x80U | ((code_point >> shift) & 0x3FU)));
  };
  if (code_point < 0x80) {
    utf8.push_back(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    utf8.push_back(static_cast<char>(0xC0U | (code_point >> 6)));
    tail(0);
  } else if (code_point < 0x10000) {
    utf8.push_back(static_cast<char>(0xE0U | (code_point >> 12)));
    tail(6);
    tail(0);
  } else {
    utf8.push_back(static_cast<char>(0xF0U | (code_point >> 18)));
    tail(12);
    tail(6);
    tail(0);
  }
}

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
