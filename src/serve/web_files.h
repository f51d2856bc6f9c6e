// The files of web/, compiled in.
#pragma once

#include <span>
#include <string_view>

namespace lambert {

struct WebFile {
  std::string_view path;  // "/", "/page.js"
  std::string_view type;  // its Content-Type
  std::string_view gzip;  // the file, compressed
};

// The file at `path`; null when there is none.
const WebFile* find_web_file(std::string_view path);

}  // namespace lambert
