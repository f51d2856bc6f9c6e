#include "qa/bundle_cache.h"

#include <sys/stat.h>

#include <filesystem>

#include "base/flat.h"
#include "net/digest.h"
#include "qa/loaded_model.h"

namespace lambert {

std::optional<std::string> bundle_cache_path(const std::string& directory, const ModelFiles& files,
                                             Precision precision) {
  FlatWriter key;
  key.text(LAMBERT_VERSION);
  key.u32(static_cast<std::uint32_t>(precision));
  for (const ModelFiles::Content& content : files.texts()) {
    key.text(content.name);
    key.text(content.bytes);
  }
  for (const NamedFile& weights : files.weights) {
    struct stat status {};
    std::error_code error;
    const std::string path = std::filesystem::canonical(weights.file.path(), error);
    if (error || ::stat(path.c_str(), &status) != 0) return std::nullopt;
    key.text(path);
    key.u64(static_cast<std::uint64_t>(status.st_size));
    key.u64(static_cast<std::uint64_t>(status.st_mtim.tv_sec));
    key.u64(static_cast<std::uint64_t>(status.st_mtim.tv_nsec));
  }
  constexpr std::size_t kDigits = 32;
  const std::string name = hex(bytes_of(sha256(key.take()))).substr(0, kDigits);
  return (std::filesystem::path(directory) / (name + ".lambert")).string();
}

}  // namespace lambert
