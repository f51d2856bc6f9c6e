// str.lower() of Python 3.11 (Unicode 14): by it mode hf tells which answers have the same text.
#pragma once

#include <string>
#include <string_view>

namespace lambert {

// Replaces `lowered` by `text` in lower case: full case mapping, with the rule that a capital sigma
// at the end of a word becomes a final one. `text` must be valid UTF-8.
void lower(std::string_view text, std::string& lowered);

}  // namespace lambert
