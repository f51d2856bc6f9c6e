// The cache that Hugging Face's own tools keep of the Hub's files, and its settings in the
// environment (huggingface_hub, "Manage huggingface_hub cache-system").
//
//   models--ORG--NAME/refs/REVISION -> the commit
//   models--ORG--NAME/blobs/ETAG
//   models--ORG--NAME/snapshots/COMMIT/FILE -> ../../blobs/ETAG
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/byte_sink.h"
#include "net/environment.h"
#include "net/secret.h"

namespace lambert {

struct HubEnvironment {
  std::string endpoint = "https://huggingface.co";  // HF_ENDPOINT
  std::string cache;     // HF_HUB_CACHE, HF_HOME/hub, ~/.cache/huggingface/hub
  bool offline = false;  // HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE
  Secret token;          // HF_TOKEN, else the file of HF_TOKEN_PATH or HF_HOME/token; may be empty
};

// Throws kIo for a token's file that cannot be read.
HubEnvironment read_hub_environment(const Environment& environment);

// One model in the cache. For one thread; processes share the cache.
class HubCache {
 public:
  HubCache(const std::string& cache, const std::string& repository);

  // The commit that a branch or tag stood for when it was last asked; `revision` itself where it is
  // a commit that is there.
  std::optional<std::string> commit_of(const std::string& revision) const;
  void set_commit(const std::string& revision, const std::string& commit) const;
  std::string snapshot(const std::string& commit) const;  // its directory
  bool has_file(const std::string& commit, const std::string& name) const;
  // Makes `name` of a commit the blob `etag`, which `download` writes where it is not there yet:
  // first under ETAG.incomplete, under its name when complete and, where the etag is a SHA-256 or
  // Git's SHA-1, right. Other processes wait meanwhile. Throws kIo and what `download` throws.
  void add_file(const std::string& commit, const std::string& name, const std::string& etag,
                std::uint64_t size, const std::function<void(const ByteSink&)>& download) const;

 private:
  void download_blob(const std::string& etag, std::uint64_t size,
                     const std::function<void(const ByteSink&)>& download) const;

  std::string directory_, locks_;
};

}  // namespace lambert
