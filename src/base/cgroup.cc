#include "base/cgroup.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace lambert {

std::vector<std::string> cgroup_directories(std::string_view controller) {
  std::vector<std::string> directories;
  const std::string name(controller);
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // "0::/a/b" or "4:cpu,cpuacct:/a/b"
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() &&
        ("," + controllers + ",").find("," + name + ",") == std::string::npos) {
      continue;
    }
    const std::string root = controllers.empty() ? "/sys/fs/cgroup" : "/sys/fs/cgroup/" + name;
    for (std::string path = line.substr(second + 1);; path.resize(path.rfind('/'))) {
      directories.push_back(root + path);
      if (path.find('/') == std::string::npos) break;
    }
  }
  return directories;
}

std::size_t memory_limit() {
  std::size_t least = static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) *
                      static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  for (const std::string& directory : cgroup_directories("memory")) {
    for (const char* file : {"/memory.max", "/memory.limit_in_bytes"}) {
      std::size_t bytes = 0;  // a number, or "max", which is none
      if (std::ifstream(directory + file) >> bytes) least = std::min(least, bytes);
    }
  }
  return least;
}

}  // namespace lambert
