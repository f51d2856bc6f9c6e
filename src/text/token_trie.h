// A set of strings that finds the longest one at the front of a text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace lambert {

// For the handful of added tokens of a model. Flat; the children of a node are a list.
class TokenTrie {
 public:
  // Of equal strings the first one counts. `text` is not empty.
  void insert(std::string_view text, std::int32_t value);

  struct Match {
    std::size_t length = 0;  // bytes; 0: none
    std::int32_t value = 0;
  };
  Match longest(std::string_view text) const;

  bool empty() const { return nodes_.size() == 1; }
  std::size_t max_length() const { return max_length_; }  // bytes
  // Whether some string starts with this byte.
  bool starts(char byte) const { return starts_[static_cast<unsigned char>(byte)]; }
  // The first place at or after `from` where a string may start, or text.size().
  std::size_t next_candidate(std::string_view text, std::size_t from) const;

 private:
  static constexpr std::int32_t kNoValue = -1;
  struct Node {
    std::uint32_t first_child = 0;  // 0: none
    std::uint32_t next_sibling = 0;
    std::int32_t value = kNoValue;
    char byte = 0;
  };
  std::uint32_t child(std::uint32_t node, char byte) const;

  std::vector<Node> nodes_{Node{}};
  std::array<bool, 256> starts_{};
  char only_start_ = 0;        // the one first byte of all strings,
  unsigned starts_count_ = 0;  // if this is 1
  std::size_t max_length_ = 0;
};

}  // namespace lambert
