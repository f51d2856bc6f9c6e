// Files of tests/serve/data.
#pragma once

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace lambert::test {

inline std::string read_data(const std::string& name) {
  const std::string path = LAMBERT_SOURCE_DIR "/tests/serve/data/" + name;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + " is missing");
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::vector<std::string> read_lines(const std::string& name) {
  std::ifstream file(LAMBERT_SOURCE_DIR "/tests/serve/data/" + name);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  if (lines.empty()) throw std::runtime_error(name + " is missing or empty");
  return lines;
}

}  // namespace lambert::test
