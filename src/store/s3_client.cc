#include "store/s3_client.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "net/ascii.h"
#include "net/sigv4.h"
#include "net/xml.h"
#include "store/s3_connection.h"
#include "store/s3_upload.h"

namespace lambert {

namespace {

constexpr std::size_t kMaxObjects = 10'000;  // objects below a prefix

// Whether a bucket can be a label of a host's name that TLS certificates cover.
bool fits_host(const std::string& bucket) {
  return std::none_of(bucket.begin(), bucket.end(),
                      [](char c) { return c == '.' || c == '_' || (c >= 'A' && c <= 'Z'); });
}

std::optional<Url> endpoint_of(const Environment& environment) {
  for (const char* const name : {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}) {
    if (const auto url = environment(name)) return parse_url(*url, name);
  }
  return std::nullopt;
}

std::string decoded(std::string_view text, const std::string& where) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) network_fail(Retry::kNo, where, ": a key that is not encoded");
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

class S3RangeReader final : public RangeReader {
 public:
  S3RangeReader(S3Client& client, const std::string& bucket, std::string key, RemoteFile file,
                const Cancellation* cancel)
      : connection_(client, bucket, cancel), key_(std::move(key)), file_(std::move(file)) {}
  void read(std::uint64_t begin, std::uint64_t end, const ByteSink& sink,
            TimePoint deadline) override {
    connection_.read_range(file_, key_, begin, end, sink, deadline);
  }

 private:
  S3Connection connection_;
  std::string key_;
  RemoteFile file_;
};

}  // namespace

S3Client::S3Client(S3Settings settings)
    : settings_(std::move(settings)),
      credentials_(settings_.credentials),
      endpoint_(endpoint_of(settings_.credentials.environment)),
      tls_(std::make_shared<TlsClient>(settings_.credentials.environment)),
      region_(credentials_.region()) {
  if (region_.empty()) region_ = "us-east-1";
}

std::string S3Client::region() const {
  const std::lock_guard lock(mutex_);
  return region_;
}

WallTime S3Client::signing_time() const {
  const std::lock_guard lock(mutex_);
  return settings_.credentials.waiting.clock->wall_time() + clock_offset_;
}

S3Client::Place S3Client::place(const std::string& bucket) const {
  if (endpoint_) {
    std::string path = endpoint_->target.substr(0, endpoint_->target.find('?'));
    while (path.ends_with('/')) path.pop_back();
    return {*endpoint_, path + "/" + bucket};
  }
  const std::string in_region = region();
  const std::string host =
      "s3." + in_region + ".amazonaws.com" + (in_region.starts_with("cn-") ? ".cn" : "");
  if (fits_host(bucket)) return {parse_url("https://" + bucket + "." + host, "the bucket"), ""};
  return {parse_url("https://" + host, "the region"), "/" + bucket};
}

std::optional<S3Client::Object> S3Client::find(const std::string& bucket, const std::string& key) {
  const Clock& clock = *settings_.credentials.waiting.clock;
  const TimePoint deadline = clock.now() + settings_.download.budget;
  S3Connection connection(*this, bucket, settings_.credentials.waiting.cancel);
  Retrier retrier(settings_.download.retry, settings_.credentials.waiting, std::random_device{}());
  const auto ask = [&] {
    return retrier.run(deadline, [&] {
      return connection
          .request({.method = "HEAD", .headers = {{"x-amz-checksum-mode", "ENABLED"}}}, {key, ""},
                   deadline)
          .head;
    });
  };
  HttpHead head;
  try {
    head = ask();
  } catch (const NetworkError&) {
    // The answer to HEAD has no body, so it does not say why: that to a GET does, and what it says
    // may help.
    retrier.run(deadline, [&] {
      connection.request({.headers = {{"Range", "bytes=0-0"}}}, {key, ""}, deadline);
    });
    head = ask();
  }
  if (head.status == 404) return std::nullopt;
  if (!head.content_length) {
    network_fail(Retry::kNo, "s3://", bucket, "/", key, ": the server does not say its size");
  }
  const std::string* const etag = head.find("ETag");
  return Object{{key.substr(key.rfind('/') + 1), *head.content_length, etag ? *etag : ""},
                checksum_of(head)};
}

std::vector<RemoteFile> S3Client::list(const std::string& bucket, const std::string& prefix) {
  const std::string where = "s3://" + bucket + "/" + prefix;
  const TimePoint deadline = settings_.credentials.waiting.clock->now() + settings_.download.budget;
  S3Connection connection(*this, bucket, settings_.credentials.waiting.cancel);
  Retrier retrier(settings_.download.retry, settings_.credentials.waiting, std::random_device{}());
  std::vector<RemoteFile> files;
  std::string token;
  do {
    const std::string query =
        "?delimiter=%2F&encoding-type=url&list-type=2&prefix=" + uri_encode(prefix) +
        (token.empty() ? "" : "&continuation-token=" + uri_encode(token));
    const HttpResponse response = retrier.run(deadline, [&] {
      return connection.request({}, {"", query}, deadline);
    });
    const XmlElement root = parse_xml(response.body, where, ErrorCode::kIo);
    const bool encoded = root.text_of("EncodingType") == "url";  // some servers do not know how
    for (const XmlElement& element : root.children) {
      if (element.name != "Contents") continue;
      const std::string_view text = element.text_of("Key");
      const std::string key = encoded ? decoded(text, where) : std::string(text);
      if (!key.starts_with(prefix) || key.size() == prefix.size()) continue;
      files.push_back({key.substr(prefix.size()),
                       std::strtoull(std::string(element.text_of("Size")).c_str(), nullptr, 10),
                       std::string(element.text_of("ETag"))});
      if (files.size() > kMaxObjects) {
        fail(ErrorCode::kLimitExceeded, where, ": has more than ", kMaxObjects, " objects");
      }
    }
    const std::string next(root.text_of("NextContinuationToken"));
    if (next == token) break;
    token = root.text_of("IsTruncated") == "true" ? next : "";
  } while (!token.empty());
  return files;
}

void S3Client::get(const std::string& bucket, const std::string& key, const Object& object,
                   const ByteSink& sink) {
  const auto open = [&](const Cancellation* cancel) {
    return std::make_unique<S3RangeReader>(*this, bucket, key, object.file, cancel);
  };
  std::optional<ChecksumCounter> counter;
  if (object.checksum) counter.emplace(object.checksum->kind);
  download_file(object.file, open, settings_.download, *settings_.credentials.waiting.clock,
                [&](std::span<const std::byte> bytes) {
                  if (counter) counter->update(bytes);
                  sink(bytes);
                });
  if (counter && counter->finish() != object.checksum->value) {
    fail(ErrorCode::kIo, "s3://", bucket, "/", key,
         ": what came does not have the checksum that S3 keeps; try again");
  }
}

void S3Client::put(const std::string& bucket, const std::string& key,
                   std::span<const std::byte> content,
                   const std::function<void(std::uint64_t)>& progress) {
  S3Connection connection(*this, bucket, settings_.credentials.waiting.cancel);
  upload(connection, key, content, settings_.download, settings_.credentials.waiting, progress);
  const auto object = find(bucket, key);
  if (!object || object->file.size != content.size()) {
    fail(ErrorCode::kIo, "s3://", bucket, "/", key, ": is not there after the upload, or not of ",
         content.size(), " bytes; try again");
  }
}

void S3Client::create_bucket(const std::string& bucket) {
  const Waiting& waiting = settings_.credentials.waiting;
  const TimePoint deadline = waiting.clock->now() + settings_.download.budget;
  S3Connection connection(*this, bucket, waiting.cancel);
  Retrier retrier(settings_.download.retry, waiting, std::random_device{}());
  try {
    retrier.run(deadline, [&] { connection.request({.method = "HEAD"}, {"", ""}, deadline); });
    return;
  } catch (const NetworkError& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
  }
  const std::string in_region = region();
  const std::string body =
      in_region == "us-east-1"
          ? ""
          : "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<LocationConstraint>" +
                in_region + "</LocationConstraint></CreateBucketConfiguration>";
  retrier.run(deadline, [&] {
    connection.request({.method = "PUT", .body = body}, {"", ""}, deadline);
  });
}

}  // namespace lambert
