// Dates in HTTP headers: "Tue, 15 Nov 1994 08:12:31 GMT" (RFC 9110 5.6.7, the preferred form).
#pragma once

#include <optional>
#include <string_view>

#include "net/clock.h"

namespace lambert {

std::optional<WallTime> parse_http_date(std::string_view text);

}  // namespace lambert
