// Tables of code points as sorted ranges.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace lambert {

struct CodePointRange {
  char32_t first, last;
};

// The range that holds `c`, or null. `ranges`: sorted, disjoint; Range has the fields of
// CodePointRange and maybe more.
template <typename Range, std::size_t n>
const Range* find_range(const Range (&ranges)[n], char32_t c) {
  const Range* range =
      std::upper_bound(std::begin(ranges), std::end(ranges), c,
                       [](char32_t value, const Range& r) { return value < r.first; });
  if (range == std::begin(ranges)) return nullptr;
  --range;
  return c <= range->last ? range : nullptr;
}

}  // namespace lambert
