// Names of places that models come from and go to.
#pragma once

#include <string>
#include <string_view>

#include "net/url.h"

namespace lambert {

struct Uri {
  enum class Kind { kPath, kS3, kHttps, kHub };
  Kind kind = Kind::kPath;
  std::string text;         // as it was given, for messages
  std::string path;         // of kPath
  std::string bucket, key;  // of kS3; key may be "", or end in '/'
  Url url;                  // of kHttps
  std::string repository;   // of kHub: "org/name", or "name"
  std::string revision;     // of kHub: a branch, tag or commit; "main" by default
};

// A path, file:PATH (file:///abs, file:rel), s3://bucket/key, https://host/path or
// hf://org/name[@revision]. Throws kInvalidArgument for any other scheme and what is no valid name
// of its kind, with `source` (an option or variable) in front. http is refused, but to a loopback
// address.
Uri parse_uri(std::string_view text, std::string_view source);

// The last part of the path: "model.tar.gz" of s3://bucket/dir/model.tar.gz. May be "".
std::string uri_file_name(const Uri& uri);

}  // namespace lambert
