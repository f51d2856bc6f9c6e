#include "store/s3_upload.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "net/sigv4.h"
#include "net/xml.h"

namespace lambert {

namespace {

constexpr std::size_t kPartBytes = std::size_t{16} << 20;
constexpr std::size_t kMaxParts = 10'000;  // S3's own

std::string checksum_value(Checksum::Kind kind, std::span<const std::byte> bytes) {
  ChecksumCounter counter(kind);
  counter.update(bytes);
  return counter.finish();
}

std::string_view text_view(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Upload {
 public:
  Upload(S3Connection& connection, const std::string& key, std::span<const std::byte> content,
         const DownloadSettings& settings, const Waiting& waiting)
      : connection_(connection),
        key_(key),
        content_(content),
        deadline_(waiting.clock->now() + settings.budget),
        retrier_(settings.retry, waiting, std::random_device{}()) {}

  void in_one_piece() {
    send({.method = "PUT",
          .headers = {{"x-amz-checksum-sha256", checksum_value(Checksum::Kind::kSha256, content_)}},
          .body = text_view(content_)},
         "");
  }

  void in_parts(const std::function<void(std::uint64_t)>& progress) {
    begin();
    try {
      std::string parts;
      std::size_t number = 1;
      for (std::size_t at = 0; at < content_.size(); at += kPartBytes, ++number) {
        const auto part = content_.subspan(at, std::min(kPartBytes, content_.size() - at));
        parts += send_part(number, part);
        progress(at + part.size());
      }
      complete(parts);
    } catch (...) {
      abort();
      throw;
    }
  }

 private:
  HttpResponse send(const HttpRequest& request, const std::string& query) {
    HttpResponse response = retrier_.run(deadline_, [&] {
      return connection_.request(request, {key_, query}, deadline_);
    });
    if (response.head.status == 404) {
      fail(ErrorCode::kNotFound, quote(key_), ": the bucket or the upload is not there (anymore)");
    }
    return response;
  }

  void begin() {
    const HttpResponse response = send({.method = "POST",
                                        .headers = {{"x-amz-checksum-algorithm", "CRC32"},
                                                    {"x-amz-checksum-type", "FULL_OBJECT"}}},
                                       "?uploads=");
    const XmlElement root = parse_xml(response.body, "S3", ErrorCode::kIo);
    upload_id_ = root.text_of("UploadId");
    if (upload_id_.empty()) network_fail(Retry::kNo, "S3: no UploadId for an upload in parts");
  }

  // Its element in the list of parts.
  std::string send_part(std::size_t number, std::span<const std::byte> part) {
    const std::string checksum = checksum_value(Checksum::Kind::kCrc32, part);
    const HttpResponse response = send(
        {.method = "PUT", .headers = {{"x-amz-checksum-crc32", checksum}}, .body = text_view(part)},
        "?partNumber=" + std::to_string(number) + "&uploadId=" + uri_encode(upload_id_));
    const std::string* const etag = response.head.find("ETag");
    if (etag == nullptr || etag->find('<') != etag->npos) {
      network_fail(Retry::kNo, "S3: no ETag for a part of an upload");
    }
    return "<Part><ChecksumCRC32>" + checksum + "</ChecksumCRC32><ETag>" + *etag +
           "</ETag><PartNumber>" + std::to_string(number) + "</PartNumber></Part>";
  }

  void complete(const std::string& parts) {
    const std::string body =
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + parts +
        "</CompleteMultipartUpload>";
    const HttpResponse response = send(
        {.method = "POST",
         .headers = {{"x-amz-checksum-crc32", checksum_value(Checksum::Kind::kCrc32, content_)},
                     {"x-amz-checksum-type", "FULL_OBJECT"}},
         .body = body},
        "?uploadId=" + uri_encode(upload_id_));
    // An error may come with status 200, after a while.
    const XmlElement root = parse_xml(response.body, "S3", ErrorCode::kIo);
    if (root.name == "Error") {
      network_fail(Retry::kNo, "S3: the upload was not completed: ", quote(root.text_of("Code")),
                   ": ", quote(root.text_of("Message"), 300));
    }
  }

  void abort() noexcept {
    try {
      connection_.request({.method = "DELETE"}, {key_, "?uploadId=" + uri_encode(upload_id_)},
                          deadline_);
    } catch (const std::exception&) {  // the error that led here counts
    }
  }

  S3Connection& connection_;
  const std::string& key_;
  const std::span<const std::byte> content_;
  const TimePoint deadline_;
  Retrier retrier_;
  std::string upload_id_;
};

}  // namespace

void upload(S3Connection& connection, const std::string& key, std::span<const std::byte> content,
            const DownloadSettings& settings, const Waiting& waiting,
            const std::function<void(std::uint64_t)>& progress) {
  if (content.size() > kPartBytes * kMaxParts) {
    fail(ErrorCode::kLimitExceeded, quote(key), ": ", content.size(),
         " bytes are more than an upload of 10,000 parts takes");
  }
  Upload one(connection, key, content, settings, waiting);
  if (content.size() > kPartBytes) {
    one.in_parts(progress);
  } else {
    one.in_one_piece();
    progress(content.size());
  }
}

}  // namespace lambert
