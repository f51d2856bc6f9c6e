// vocab.txt: one token a line, its id is the number of the line.
#pragma once

#include <string_view>
#include <vector>

#include "text/vocabulary.h"

namespace lambert {

// Whitespace (Unicode's) at the end of a line is not part of the token, as in the `tokenizers`
// crate; so CRLF files are read. The result has views into `text`. Throws kInvalidModel with the
// byte offset where it is not UTF-8, kLimitExceeded as check_vocabulary_size.
std::vector<VocabularyEntry> parse_vocab_txt(std::string_view text);

}  // namespace lambert
