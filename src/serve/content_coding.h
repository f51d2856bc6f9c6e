// Content-Encoding gzip (RFC 9110, 8.4.1.3; RFC 1952).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lambert {

// The size that `bytes`, if they are gzip, have uncompressed; gunzip refuses what has more.
std::size_t gunzipped_size(std::string_view bytes);

// Throws RequestError: 400 for what is no gzip or ends early, 413 above `max_bytes`.
std::string gunzip(std::string_view bytes, std::size_t max_bytes);

std::string gzip(std::string_view bytes);

// Whether an Accept-Encoding allows gzip: it is named, or "*" is, and not with q=0.
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace lambert
