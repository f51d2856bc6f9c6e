// A file mapped read-only. Owns the mapping; views of it must not outlive it.
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
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }
  // Tells the kernel that these bytes will not be read soon; they stay readable.
  void release(std::span<const std::byte> part) const;

 private:
  std::string path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// The whole of a small file. Throws as MappedFile does, and kLimitExceeded above max_bytes.
std::string read_file(const std::string& path, std::size_t max_bytes);

}  // namespace lambert
