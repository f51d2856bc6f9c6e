// An answer shown inside its sentence.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lambert {

// The sentence of `context` around bytes [start, end), at most about `reach` bytes to either side,
// on one line; the answer is marked with terminal colours, or with » « without them.
std::string highlight(std::string_view context, std::size_t start, std::size_t end, bool colors,
                      std::size_t reach = 240);

}  // namespace lambert
