// What Python's str and re do to text, where SQuAD's metrics depend on it (Python 3.11, Unicode
// 14). Text that is no valid UTF-8 is taken as if each stray byte were U+FFFD.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lambert {

std::u32string decode_utf8(std::string_view text);
std::string encode_utf8(std::u32string_view text);

std::u32string python_lower(std::u32string_view text);  // str.lower()
bool python_is_space(char32_t c);                       // what str.split() splits at
bool python_is_word(char32_t c);                        // \w of a str pattern

}  // namespace lambert
