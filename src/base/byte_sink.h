// Where bytes go that come piece by piece.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace lambert {

using ByteSink = std::function<void(std::span<const std::byte>)>;

}  // namespace lambert
