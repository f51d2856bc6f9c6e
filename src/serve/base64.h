// Base64 (RFC 4648, section 4), as events carry bodies.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lambert {

// The bytes; the padding may be left out. Nothing for characters outside the alphabet, padding in
// the wrong place or a length that no bytes have.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace lambert
