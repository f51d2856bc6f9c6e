#include "store/remote.h"

#include <memory>
#include <utility>

#include "base/error.h"

namespace lambert {

namespace {

Remote open_s3(const Uri& uri, const RemoteSettings& settings) {
  const auto client = std::make_shared<S3Client>(s3_settings(settings));
  Remote remote;
  const bool may_be_object = !uri.key.empty() && !uri.key.ends_with('/');
  if (may_be_object) {
    if (const auto object = client->find(uri.bucket, uri.key)) {
      remote.files = {object->file};
      remote.get = [client, uri, object = *object](std::size_t, const ByteSink& sink) {
        client->get(uri.bucket, uri.key, object, sink);
      };
      return remote;
    }
  }
  const std::string prefix = uri.key + (may_be_object ? "/" : "");
  remote.is_prefix = true;
  remote.files = client->list(uri.bucket, prefix);
  if (remote.files.empty()) {
    fail(ErrorCode::kNotFound, quote(uri.text, 400),
         ": there is no such object, and nothing below it; check bucket, key and region");
  }
  remote.get = [client, bucket = uri.bucket, prefix, files = remote.files](std::size_t index,
                                                                           const ByteSink& sink) {
    const std::string key = prefix + files[index].name;
    const auto object = client->find(bucket, key);
    if (!object) fail(ErrorCode::kNotFound, "s3://", bucket, "/", key, ": was removed meanwhile");
    client->get(bucket, key, *object, sink);
  };
  return remote;
}

Remote open_https(const Uri& uri, const RemoteSettings& settings) {
  const auto file = std::make_shared<HttpsFile>(
      uri.url, HttpsSettings{settings.environment, settings.waiting, settings.download, {}});
  Remote remote;
  remote.files = {file->file()};
  remote.get = [file](std::size_t, const ByteSink& sink) { file->get(sink); };
  return remote;
}

}  // namespace

S3Settings s3_settings(const RemoteSettings& settings) {
  return {{settings.environment, settings.aws_profile,
           !settings.environment("AWS_LAMBDA_RUNTIME_API").has_value(), settings.waiting},
          settings.download};
}

Remote open_remote(const Uri& uri, const RemoteSettings& settings) {
  return uri.kind == Uri::Kind::kS3 ? open_s3(uri, settings) : open_https(uri, settings);
}

}  // namespace lambert
