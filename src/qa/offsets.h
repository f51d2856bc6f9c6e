// Offsets of answers in the unit that the user asked for.
#pragma once

#include <span>
#include <string_view>

#include "lambert/lambert.h"

namespace lambert {

// Turns start and end of all answers from code points of `text` (valid UTF-8) into `type`, in one
// pass over the text. Offsets behind the text become its end.
void convert_offsets(std::string_view text, OffsetType type, std::span<Answer> answers);

}  // namespace lambert
