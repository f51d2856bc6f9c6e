// One connection to a bucket.
#pragma once

#include <memory>
#include <string>

#include "store/s3_client.h"

namespace lambert {

// For one thread at a time. What S3 says about itself (another region, another time, keys that have
// expired) goes into the client, so that the next request is right.
class S3Connection {
 public:
  S3Connection(S3Client& client, std::string bucket, const Cancellation* cancel = nullptr);

  // Path and query of a key, encoded; `query` begins with '?' or is "".
  struct Target {
    std::string key, query;
  };
  // Signs and sends a request. Returns 2xx, and 404 as far as it is of the key; throws NetworkError
  // for all else, retryable where it may help.
  HttpResponse request(HttpRequest request, const Target& target, TimePoint deadline);
  // Bytes [begin, end) of the version `file`, as RangeReader does.
  void read_range(const RemoteFile& file, const std::string& key, std::uint64_t begin,
                  std::uint64_t end, const ByteSink& sink, TimePoint deadline);

 private:
  HttpConnection& open();
  void sign(HttpRequest& request, const Target& target);
  [[noreturn]] void refuse(const HttpHead& head, const std::string& body, const Target& target);
  bool learns(const HttpHead& head, const std::string& code);

  S3Client& client_;
  std::string bucket_;
  const Cancellation* cancel_;
  std::unique_ptr<HttpConnection> connection_;
  std::string used_key_;  // the access key id of the last request
};

// Whether the head of a response to a range says that exactly [begin, end) of `file` follows;
// throws NetworkError where it does not: not retryable for another version.
void check_range_head(const HttpHead& head, const RemoteFile& file, std::uint64_t begin,
                      std::uint64_t end, const std::string& where);

}  // namespace lambert
