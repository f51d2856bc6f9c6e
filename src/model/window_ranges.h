// Which windows of a batch one thread carries through all layers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lambert {

// Windows [first, last) of a batch with their tokens.
struct WindowRange {
  std::size_t first = 0, last = 0, tokens = 0;
};

class WindowRanges {
 public:
  WindowRanges(std::size_t max_windows, unsigned threads);

  // Cuts windows, given as in Batch::window_begin, into ranges of several windows with at most
  // `least` to `most` tokens, or of one window: the largest first, for threads that take one after
  // another. None where some would have nothing to do at the end for so long that all threads had
  // better share every step. Does not allocate. Valid until the next call.
  std::span<const WindowRange> cut(std::span<const std::uint32_t> window_begin, std::size_t least,
                                   std::size_t most);

 private:
  void cut_to(std::span<const std::uint32_t> window_begin, std::size_t most);
  std::size_t longest_load();

  std::vector<WindowRange> ranges_;
  std::vector<std::size_t> loads_;  // tokens of each thread
};

}  // namespace lambert
