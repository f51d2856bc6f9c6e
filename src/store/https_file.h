// A file that an https URL names.
#pragma once

#include <memory>
#include <optional>

#include "net/environment.h"
#include "net/http_client.h"
#include "net/redirect.h"
#include "net/secret.h"
#include "store/ranged_download.h"

namespace lambert {

struct HttpsSettings {
  Environment environment = process_environment();
  Waiting waiting = {};
  DownloadSettings download = {};
  std::optional<Secret> authorization = {};  // for Authorization, to the first host only
};

// Follows redirects, by the rules of net/redirect.h. For one thread.
class HttpsFile {
 public:
  // Asks for its size. Throws NetworkError, kNotFound for status 404.
  HttpsFile(const Url& url, HttpsSettings settings);

  const RemoteFile& file() const { return file_; }
  // All of it, in order: by several connections where the server knows ranges, else by one, once,
  // which then is not taken up where it breaks off.
  void get(const ByteSink& sink);

 private:
  class Reader;
  HttpOptions options(const Url& url, const Cancellation* cancel) const;
  HttpRequest request(const Hop& hop) const;
  HttpHead probe(TimePoint deadline);

  HttpsSettings settings_;
  std::shared_ptr<TlsClient> tls_;
  Hop hop_;  // where redirects led
  RemoteFile file_;
  bool has_ranges_ = false;
  std::unique_ptr<HttpConnection> whole_;  // has all of the file to come, from a server without
  std::string unmodified_since_;           // Last-Modified, where there is no strong ETag
};

}  // namespace lambert
