// A file mapped read-only, or memory in its place. Owns the mapping; views of it must not outlive
// it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace lambert {

class MappedFile {
 public:
  MappedFile() = default;
  // Throws kNotFound, or kIo for what cannot be opened or is not a regular file. An empty file
  // gives an empty span.
  explicit MappedFile(const std::string& path);
  // `size` zeros, for the content of a file that came from elsewhere; `path` says from where.
  // Memory is taken page by page, when it is written. Throws kLimitExceeded.
  static MappedFile in_memory(std::string path, std::size_t size);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  // To be filled by whoever made it, with in_memory.
  std::span<std::byte> writable();
  // Gives memory back. Of a file the bytes stay readable; in memory they are zeros from now on.
  void release(std::span<const std::byte> part) const;

 private:
  std::string path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  bool in_memory_ = false;
};

// The whole of a small file. Throws as MappedFile does, and kLimitExceeded above max_bytes.
std::string read_file(const std::string& path, std::size_t max_bytes);

}  // namespace lambert
