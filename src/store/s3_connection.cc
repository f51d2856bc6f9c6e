#include "store/s3_connection.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/error.h"
#include "net/ascii.h"
#include "net/sigv4.h"
#include "net/xml.h"
#include "store/http_date.h"

namespace lambert {

namespace {

constexpr std::size_t kMaxReplyBytes = std::size_t{8} << 20;
constexpr std::chrono::seconds kIdleTime{10}, kMostSkew{300};

// Code and message of an error's XML; "" where there is none, as after HEAD.
std::pair<std::string, std::string> error_of(const std::string& body) {
  if (body.empty()) return {};
  try {
    const XmlElement root = parse_xml(body, "S3", ErrorCode::kIo);
    return {std::string(root.text_of("Code")), std::string(root.text_of("Message"))};
  } catch (const Error&) {
    return {};
  }
}

bool may_pass(int status, const std::string& code) {
  return status == 408 || status == 429 || status >= 500 || code == "SlowDown" ||
         code == "RequestTimeout" || code == "InternalError";
}

// "eu-west-1" of bucket.s3.eu-west-1.amazonaws.com or bucket.s3-eu-west-1.amazonaws.com.
std::string region_of_host(const std::string& location) {
  const std::size_t end = location.find(".amazonaws.com");
  if (end == location.npos) return "";
  const std::string host = location.substr(0, end);
  const std::size_t at = host.rfind("s3");
  return at == host.npos || host.size() < at + 4 ? "" : host.substr(at + 3);
}

bool is_region(const std::string& text) {
  return !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
    return is_ascii_digit(c) || (c >= 'a' && c <= 'z') || c == '-';
  });
}

std::string advice_of(int status, const std::string& code, const std::string& object) {
  if (code == "InvalidAccessKeyId" || code == "SignatureDoesNotMatch") {
    return "; the keys are wrong, or belong to another endpoint";
  }
  if (code == "ExpiredToken") return "; the keys have expired, log in again";
  if (code == "NoSuchBucket") return "; check the name and the region";
  if (status == 403) {
    return "; the role or user needs s3:GetObject on " + object +
           " (and s3:ListBucket on the bucket; without it S3 denies what is not there)";
  }
  if (status == 412) return "; it was replaced while it was read, start again";
  return "";
}

}  // namespace

S3Connection::S3Connection(S3Client& client, std::string bucket, const Cancellation* cancel)
    : client_(client), bucket_(std::move(bucket)), cancel_(cancel) {}

HttpConnection& S3Connection::open() {
  const S3Client::Place place = client_.place(bucket_);
  if (!connection_ || connection_->server().origin() != place.url.origin()) {
    HttpOptions options;
    options.idle_timeout = kIdleTime;
    options.waiting = {client_.settings_.credentials.waiting.clock, cancel_};
    options.tls = client_.tls_;
    options.proxy = proxy_for(place.url, client_.settings_.credentials.environment);
    connection_ = std::make_unique<HttpConnection>(place.url, options);
  }
  return *connection_;
}

void S3Connection::sign(HttpRequest& request, const Target& target) {
  const S3Client::Place place = client_.place(bucket_);
  request.target = place.prefix + "/" + uri_encode_path(target.key) + target.query;
  const AwsCredentials keys = client_.credentials_.get();
  used_key_ = keys.access_key_id;
  sign_request(request, place.url.authority(), keys, {client_.region(), "s3"},
               client_.signing_time());
}

HttpResponse S3Connection::request(HttpRequest request, const Target& target, TimePoint deadline) {
  HttpConnection& connection = open();
  sign(request, target);
  HttpResponse response = connection.request(request, kMaxReplyBytes, deadline);
  const int status = response.head.status;
  if (status / 100 == 2) return response;
  const bool of_key = !target.key.empty() && error_of(response.body).first != "NoSuchBucket";
  if (status == 404 && of_key) return response;
  refuse(response.head, response.body, target);
}

void S3Connection::read_range(const RemoteFile& file, const std::string& key, std::uint64_t begin,
                              std::uint64_t end, const ByteSink& sink, TimePoint deadline) {
  HttpConnection& connection = open();
  HttpRequest request;
  request.headers = {{"Range", "bytes=" + std::to_string(begin) + "-" + std::to_string(end - 1)}};
  if (!file.etag.empty()) request.headers.push_back({"If-Match", file.etag});
  sign(request, {key, ""});
  const HttpHead head = connection.start(request, deadline);
  if (head.status / 100 != 2) {
    std::string body;
    connection.read_body(
        [&](std::span<const std::byte> bytes) {
          if (body.size() > kMaxReplyBytes) network_fail(Retry::kNo, "an error of over 8 MiB");
          body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        },
        deadline);
    refuse(head, body, {key, ""});
  }
  check_range_head(head, file, begin, end, "s3://" + bucket_ + "/" + key);
  connection.read_body(sink, deadline);
}

// Whether the same request will be signed or sent otherwise from now on.
bool S3Connection::learns(const HttpHead& head, const std::string& code) {
  const std::lock_guard lock(client_.mutex_);
  const std::string* const bucket_region = head.find("x-amz-bucket-region");
  const std::string* const location = head.find("Location");
  std::string region = bucket_region != nullptr ? *bucket_region : "";
  if (region.empty() && location != nullptr) region = region_of_host(*location);
  if (is_region(region) && region != client_.region_) {
    client_.region_ = region;
    return true;
  }
  const std::string* const date = head.find("Date");
  const auto theirs = date != nullptr ? parse_http_date(*date) : std::nullopt;
  if (theirs && (head.status == 403 || code == "RequestTimeTooSkewed")) {
    const auto offset = std::chrono::duration_cast<std::chrono::seconds>(
        *theirs - client_.settings_.credentials.waiting.clock->wall_time());
    if (std::abs((offset - client_.clock_offset_).count()) > kMostSkew.count()) {
      client_.clock_offset_ = offset;
      return true;
    }
  }
  if (code == "ExpiredToken" && client_.expired_access_key_ != used_key_) {
    client_.expired_access_key_ = used_key_;
    client_.credentials_.forget();
    return true;
  }
  return false;
}

void S3Connection::refuse(const HttpHead& head, const std::string& body, const Target& target) {
  const auto [code, message] = error_of(body);
  const bool again = learns(head, code) || may_pass(head.status, code);
  const std::string object = "s3://" + bucket_ + (target.key.empty() ? "" : "/" + target.key);
  std::string text = quote(object, 400) + ": S3 (" + client_.place(bucket_).url.origin() +
                     ") answered with status " + std::to_string(head.status);
  if (!code.empty()) text += ", " + quote(code);
  if (!message.empty()) text += ": " + quote(message, 300);
  text += advice_of(head.status, code, object);
  throw NetworkError(again ? Retry::kYes : Retry::kNo, text,
                     head.status == 404 ? ErrorCode::kNotFound : ErrorCode::kIo);
}

void check_range_head(const HttpHead& head, const RemoteFile& file, std::uint64_t begin,
                      std::uint64_t end, const std::string& where) {
  const std::string* const etag = head.find("ETag");
  if (!file.etag.empty() && etag != nullptr && *etag != file.etag) {
    network_fail(Retry::kNo, quote(where, 400), ": was replaced while it was read; start again");
  }
  const std::string expected = "bytes " + std::to_string(begin) + "-" + std::to_string(end - 1) +
                               "/" + std::to_string(file.size);
  const std::string* const range = head.find("Content-Range");
  if (head.status != 206 || range == nullptr || *range != expected) {
    network_fail(Retry::kYes, quote(where, 400), ": asked for \"", expected, "\", got status ",
                 head.status, " with ", range == nullptr ? "no Content-Range" : quote(*range));
  }
  if (head.content_length && *head.content_length != end - begin) {
    network_fail(Retry::kYes, quote(where, 400), ": ", *head.content_length,
                 " bytes are announced, expected ", end - begin);
  }
}

}  // namespace lambert
