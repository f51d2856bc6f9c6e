// str.lower() of Python 3.11 (Unicode 14): full case mapping, with the rule that a capital sigma at
// the end of a word becomes a final one.
#pragma once

#include <string>
#include <string_view>

namespace lambert {

std::u32string python_lower(std::u32string_view text);

// Replaces `lowered` by `text` in lower case. `text` must be valid UTF-8.
void python_lower(std::string_view text, std::string& lowered);

}  // namespace lambert
