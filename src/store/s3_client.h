// Amazon S3 and what speaks like it: requests that are signed, and what its errors mean.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "net/credential_chain.h"
#include "net/http_client.h"
#include "store/checksum.h"
#include "store/ranged_download.h"

namespace lambert {

struct S3Settings {
  CredentialSettings credentials = {};
  DownloadSettings download = {};
};

// What all connections to S3 share. Thread-safe.
//
// The endpoint is AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, with the bucket in the path, else AWS's
// of the region, with the bucket in the host's name unless that has dots or capitals.
class S3Client {
 public:
  explicit S3Client(S3Settings settings);

  struct Object {
    RemoteFile file;
    std::optional<Checksum> checksum;  // of the whole, where S3 knows one
  };
  // None when there is no such object. Throws NetworkError, kNotFound for the bucket.
  std::optional<Object> find(const std::string& bucket, const std::string& key);
  // The objects directly below `prefix`, which is "" or ends in '/'.
  std::vector<RemoteFile> list(const std::string& bucket, const std::string& prefix);
  // All of an object, in order, checked by its checksum.
  void get(const std::string& bucket, const std::string& key, const Object& object,
           const ByteSink& sink);
  // Writes an object, above 16 MiB in parts; each is signed with its digest, which S3 checks.
  // `progress` is told of bytes that are there. An upload in parts that fails is aborted.
  void put(const std::string& bucket, const std::string& key, std::span<const std::byte> content,
           const std::function<void(std::uint64_t)>& progress);
  // No error when it is there and ours.
  void create_bucket(const std::string& bucket);

 private:
  friend class S3Connection;
  struct Place {
    Url url;             // of the bucket, its path without '/' at the end
    std::string prefix;  // of the path: "", or "/bucket"
  };
  Place place(const std::string& bucket) const;
  std::string region() const;
  WallTime signing_time() const;

  S3Settings settings_;
  CredentialChain credentials_;
  std::optional<Url> endpoint_;
  std::shared_ptr<TlsClient> tls_;
  mutable std::mutex mutex_;  // over those below
  std::string region_;
  std::chrono::seconds clock_offset_{0};  // S3's clock to ours
  std::string expired_access_key_;        // keys that S3 called expired
};

}  // namespace lambert
