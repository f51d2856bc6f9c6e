// Control groups: what of the machine this process may use.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lambert {

// The directories of this process's cgroup and of its ancestors that may limit `controller` ("cpu",
// "memory"), version 2 and 1.
std::vector<std::string> cgroup_directories(std::string_view controller);

// Bytes that this process may have at most: the machine's memory or the least limit of its cgroups.
std::size_t memory_limit();

}  // namespace lambert
