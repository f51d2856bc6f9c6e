// The best k of a stream of items.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace lambert {

// Better(a, b): a comes before b; a strict total order, so that what is kept does not depend on the
// order of arrival. Memory grows with the items kept, not with k.
template <typename Item, typename Better>
class TopK {
 public:
  // Forgets everything. `k` >= 1.
  void reset(std::size_t k) {
    k_ = k;
    heap_.clear();
  }

  bool full() const { return heap_.size() == k_; }
  const Item& worst() const { return heap_.front(); }  // of a full one

  void add(const Item& item) {
    if (!full()) {
      heap_.push_back(item);
      std::push_heap(heap_.begin(), heap_.end(), Better());
    } else if (Better()(item, heap_.front())) {
      std::pop_heap(heap_.begin(), heap_.end(), Better());
      heap_.back() = item;
      std::push_heap(heap_.begin(), heap_.end(), Better());
    }
  }

  // Best first; the next call must be reset().
  const std::vector<Item>& sort() {
    std::sort_heap(heap_.begin(), heap_.end(), Better());
    return heap_;
  }

 private:
  std::size_t k_ = 1;
  std::vector<Item> heap_;  // its front is the worst
};

// A span of rows of one window, both included.
struct Span {
  float score;
  std::uint32_t first, last;
};

struct BetterSpan {
  bool operator()(const Span& a, const Span& b) const {
    if (a.score != b.score) return a.score > b.score;
    return a.first != b.first ? a.first < b.first : a.last < b.last;
  }
};

using TopSpans = TopK<Span, BetterSpan>;

}  // namespace lambert
