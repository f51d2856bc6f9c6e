#include "model/window_ranges.h"

#include <algorithm>

namespace lambert {

WindowRanges::WindowRanges(std::size_t max_windows, unsigned threads) : loads_(threads) {
  ranges_.reserve(max_windows);
}

std::span<const WindowRange> WindowRanges::cut(std::span<const std::uint32_t> window_begin,
                                               std::size_t least, std::size_t most) {
  const std::size_t tokens = window_begin.back(), threads = loads_.size();
  constexpr std::size_t kRangesAThread = 4;  // so that they can be spread evenly
  cut_to(window_begin, std::clamp(tokens / (kRangesAThread * threads), least, most));
  std::sort(ranges_.begin(), ranges_.end(), [](const WindowRange& a, const WindowRange& b) {
    return a.tokens != b.tokens ? a.tokens > b.tokens : a.first < b.first;
  });
  // Threads that share every step lose a tenth by waiting for each other (measured, two threads).
  if (10 * longest_load() * threads > 11 * tokens) ranges_.clear();
  return ranges_;
}

void WindowRanges::cut_to(std::span<const std::uint32_t> window_begin, std::size_t most) {
  ranges_.clear();
  for (std::size_t i = 0; i + 1 < window_begin.size(); ++i) {
    const std::size_t tokens = window_begin[i + 1] - window_begin[i];
    if (ranges_.empty() || ranges_.back().tokens + tokens > most) ranges_.push_back({i, i, 0});
    ranges_.back().last = i + 1;
    ranges_.back().tokens += tokens;
  }
}

// Of the thread that ends last, if each takes the next range when it has done one.
std::size_t WindowRanges::longest_load() {
  std::fill(loads_.begin(), loads_.end(), 0);
  for (const WindowRange& range : ranges_) {
    *std::min_element(loads_.begin(), loads_.end()) += range.tokens;
  }
  return *std::max_element(loads_.begin(), loads_.end());
}

}  // namespace lambert
