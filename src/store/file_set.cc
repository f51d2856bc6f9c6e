#include "store/file_set.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace lambert {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxListed = 12;  // file names in a message

}  // namespace

FileSet FileSet::of_directory(const std::string& path) {
  FileSet files(path, path);
  std::error_code error;
  fs::directory_iterator it(path, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    std::string name = it->path().filename().string();
    if (!name.starts_with("._")) files.names_.push_back(std::move(name));
  }
  if (error) fail(ErrorCode::kIo, quote(path, 400), ": ", error.message());
  std::sort(files.names_.begin(), files.names_.end());
  return files;
}

FileSet FileSet::of_file(const std::string& path) {
  const fs::path file(path);
  FileSet files(path, file.has_parent_path() ? file.parent_path().string() : ".");
  files.names_.push_back(file.filename().string());
  return files;
}

FileSet FileSet::of_memory(std::string where, std::vector<NamedFile> held) {
  FileSet files(std::move(where), "");
  std::sort(held.begin(), held.end(),
            [](const NamedFile& a, const NamedFile& b) { return a.name < b.name; });
  for (const NamedFile& file : held) files.names_.push_back(file.name);
  files.held_ = std::move(held);
  return files;
}

bool FileSet::contains(std::string_view name) const {
  return std::binary_search(names_.begin(), names_.end(), name, std::less<>());
}

std::string FileSet::path(std::string_view name) const {
  if (directory_.empty()) return where_ + ": " + std::string(name);
  return (fs::path(directory_) / name).string();
}

NamedFile FileSet::open(std::string_view name) {
  if (!directory_.empty()) return {std::string(name), MappedFile(path(name))};
  const auto at = std::lower_bound(names_.begin(), names_.end(), name, std::less<>());
  return std::move(held_[static_cast<std::size_t>(at - names_.begin())]);
}

std::string listing(const FileSet& files) {
  const std::vector<std::string>& names = files.names();
  if (names.empty()) return "there are no files";
  std::string text = "found: ";
  for (std::size_t i = 0; i < names.size() && i < kMaxListed; ++i) {
    if (i > 0) text += ", ";
    text += quote(names[i]);
  }
  if (names.size() > kMaxListed) {
    text += " and " + std::to_string(names.size() - kMaxListed) + " more";
  }
  return text;
}

}  // namespace lambert
