// What Python's str and re make of a code point, where SQuAD's metrics depend on it (Python 3.11,
// Unicode 14).
#pragma once

namespace lambert {

bool python_is_space(char32_t c);  // what str.split() splits at
bool python_is_word(char32_t c);   // \w of a str pattern

}  // namespace lambert
