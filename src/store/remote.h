// What a URI of another machine names: a file, or a prefix with a model's files.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "store/https_file.h"
#include "store/s3_client.h"
#include "store/uri.h"

namespace lambert {

struct RemoteSettings {
  Environment environment = process_environment();
  std::string aws_profile = {};
  Waiting waiting = {};
  DownloadSettings download = {};
};

struct Remote {
  bool is_prefix = false;         // its files are those of a directory
  std::vector<RemoteFile> files;  // one, where it is no prefix
  // All of files[index], in order.
  std::function<void(std::size_t index, const ByteSink& sink)> get;
};

// Of an s3:// or https:// URI. An s3 key that is no object is taken for a prefix. Throws kNotFound
// when there is neither, and what S3Client and HttpsFile throw.
Remote open_remote(const Uri& uri, const RemoteSettings& settings);

// Profiles may use SSO and credential_process, but in Lambda.
S3Settings s3_settings(const RemoteSettings& settings);

}  // namespace lambert
