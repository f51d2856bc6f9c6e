#include "text/token_trie.h"

#include <algorithm>

namespace lambert {

std::uint32_t TokenTrie::child(std::uint32_t node, char byte) const {
  std::uint32_t next = nodes_[node].first_child;
  while (next != 0 && nodes_[next].byte != byte) next = nodes_[next].next_sibling;
  return next;
}

void TokenTrie::insert(std::string_view text, std::int32_t value) {
  std::uint32_t node = 0;
  for (const char byte : text) {
    std::uint32_t next = child(node, byte);
    if (next == 0) {
      next = static_cast<std::uint32_t>(nodes_.size());
      nodes_.push_back({0, nodes_[node].first_child, kNoValue, byte});
      nodes_[node].first_child = next;
    }
    node = next;
  }
  if (nodes_[node].value == kNoValue) nodes_[node].value = value;
  bool& starts = starts_[static_cast<unsigned char>(text.front())];
  if (!starts) {
    starts = true;
    only_start_ = text.front();
    ++starts_count_;
  }
  max_length_ = std::max(max_length_, text.size());
}

TokenTrie::Match TokenTrie::longest(std::string_view text) const {
  Match match;
  std::uint32_t node = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    node = child(node, text[i]);
    if (node == 0) break;
    if (nodes_[node].value != kNoValue) match = {i + 1, nodes_[node].value};
  }
  return match;
}

std::size_t TokenTrie::next_candidate(std::string_view text, std::size_t from) const {
  if (starts_count_ == 0) return text.size();
  if (starts_count_ == 1) return std::min(text.find(only_start_, from), text.size());
  while (from < text.size() && !starts(text[from])) ++from;
  return from;
}

}  // namespace lambert
