// Environment variables, passed as a function so that nothing here reads the process's own.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace lambert {

// The value of a variable; none when it is unset or empty. May be called from any thread.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

Environment process_environment();

}  // namespace lambert
