// Named files in one place: a directory, one file of it, or what an archive held.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mapped_file.h"

namespace lambert {

struct NamedFile {
  std::string name;  // without directories
  MappedFile file;
};

// Owns files held in memory until they are opened. Not safe for concurrent use.
class FileSet {
 public:
  // All files of a directory but macOS's "._" ones. Throws kNotFound for what is no directory,
  // kIo.
  static FileSet of_directory(const std::string& path);
  // One file, under its own name. Throws kNotFound when it is not there.
  static FileSet of_file(const std::string& path);
  // Files in memory, each name once. `where` says where they came from.
  static FileSet of_memory(std::string where, std::vector<NamedFile> files);

  const std::string& where() const { return where_; }               // for messages
  const std::vector<std::string>& names() const { return names_; }  // sorted
  bool contains(std::string_view name) const;
  std::string path(std::string_view name) const;  // of a file, for messages

  // The file, which is there. One in memory can be opened once. Throws as MappedFile does.
  NamedFile open(std::string_view name);

 private:
  FileSet(std::string where, std::string directory)
      : where_(std::move(where)), directory_(std::move(directory)) {}

  std::string where_, directory_;  // directory_: "" for files in memory
  std::vector<std::string> names_;
  std::vector<NamedFile> held_;  // in the order of names_
};

// "found: a, b, c", for the end of a message.
std::string listing(const FileSet& files);

}  // namespace lambert
