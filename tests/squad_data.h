// The SQuAD files that some tests compare over; CONTRIBUTING.md says where they come from.
#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

namespace lambert {

// In the folder $LAMBERT_DATA; where that is not set, in ../shared/data beside the sources.
inline std::string squad_path(const std::string& name) {
  const char* folder = std::getenv("LAMBERT_DATA");
  if (folder != nullptr && *folder != '\0') return std::string(folder) + "/" + name;
  return LAMBERT_SOURCE_DIR "/../shared/data/" + name;
}

// The text of squad-`set`.json.xz, as "dev-v1.1". Absent, with a notice, where there is no such
// file; throws std::runtime_error where `xz -dc` cannot read it.
inline std::optional<std::string> read_squad(const std::string& set) {
  const std::string name = "squad-" + set + ".json.xz", path = squad_path(name);
  if (!std::filesystem::exists(path)) {
    std::printf("NOTICE: %s is missing from LAMBERT_DATA; not compared over it\n", name.c_str());
    return std::nullopt;
  }
  std::FILE* pipe = ::popen(("xz -dc '" + path + "'").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run xz");
  std::string text;
  std::array<char, 65536> block;
  for (std::size_t n = 0; (n = std::fread(block.data(), 1, block.size(), pipe)) > 0;) {
    text.append(block.data(), n);
  }
  if (::pclose(pipe) != 0) throw std::runtime_error("xz -dc " + path + " failed");
  return text;
}

}  // namespace lambert
