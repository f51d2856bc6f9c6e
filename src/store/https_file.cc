#include "store/https_file.h"

#include <charconv>
#include <utility>

#include "base/error.h"
#include "store/s3_connection.h"

namespace lambert {

namespace {

constexpr std::chrono::seconds kHttpsIdleTime{10};
constexpr std::uint64_t kUnknownSize = ~std::uint64_t{0};

[[noreturn]] void refuse_status(const HttpHead& head, const Url& url) {
  const bool may_pass = head.status == 408 || head.status == 429 || head.status >= 500;
  throw NetworkError(
      may_pass ? Retry::kYes : Retry::kNo,
      url.origin() + ": answered with status " + std::to_string(head.status) +
          (head.status == 404 || head.status == 410 ? "; check the URL"
           : head.status == 401 || head.status == 403
               ? "; the URL needs a permission, or has expired"
               : ""),
      head.status == 404 || head.status == 410 ? ErrorCode::kNotFound : ErrorCode::kIo);
}

// The size in "bytes 0-0/1234".
std::optional<std::uint64_t> size_of_range(const HttpHead& head) {
  const std::string* const range = head.find("Content-Range");
  if (range == nullptr || !range->starts_with("bytes 0-0/")) return std::nullopt;
  std::uint64_t size = 0;
  const char* const end = range->data() + range->size();
  const auto [stop, error] = std::from_chars(range->data() + 10, end, size);
  return error == std::errc() && stop == end && size > 0 ? std::optional(size) : std::nullopt;
}

// Without its query, which may be a signature.
std::string name_of(const Url& url) {
  const std::string path = url.target.substr(0, url.target.find('?'));
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

class HttpsFile::Reader final : public RangeReader {
 public:
  Reader(const HttpsFile& file, const Cancellation* cancel)
      : file_(file), connection_(file.hop_.url, file.options(file.hop_.url, cancel)) {}

  void read(std::uint64_t begin, std::uint64_t end, const ByteSink& sink,
            TimePoint deadline) override {
    HttpRequest request = file_.request(file_.hop_);
    request.headers.push_back(
        {"Range", "bytes=" + std::to_string(begin) + "-" + std::to_string(end - 1)});
    if (!file_.file_.etag.empty()) {
      request.headers.push_back({"If-Match", file_.file_.etag});
    } else if (!file_.unmodified_since_.empty()) {
      request.headers.push_back({"If-Unmodified-Since", file_.unmodified_since_});
    }
    const HttpHead head = connection_.start(request, deadline);
    const std::string where = file_.hop_.url.origin() + "/.../" + file_.file_.name;
    if (head.status == 412) {
      network_fail(Retry::kNo, quote(where, 400), ": was replaced while it was read; start again");
    }
    if (head.status / 100 != 2) refuse_status(head, file_.hop_.url);
    check_range_head(head, file_.file_, begin, end, where);
    connection_.read_body(sink, deadline);
  }

 private:
  const HttpsFile& file_;
  HttpConnection connection_;
};

HttpsFile::HttpsFile(const Url& url, HttpsSettings settings)
    : settings_(std::move(settings)),
      tls_(std::make_shared<TlsClient>(settings_.environment)),
      hop_{url} {
  const TimePoint deadline = settings_.waiting.clock->now() + settings_.download.budget;
  Retrier retrier(settings_.download.retry, settings_.waiting, std::random_device{}());
  const HttpHead head = retrier.run(deadline, [&] {
    hop_ = {url};
    return probe(deadline);
  });
  file_.name = name_of(url);
  const std::string* const etag = head.find("ETag");
  if (etag != nullptr && etag->starts_with('"')) file_.etag = *etag;
  const std::string* const modified = head.find("Last-Modified");
  if (modified != nullptr) unmodified_since_ = *modified;
  const auto size = head.status == 206 ? size_of_range(head) : std::nullopt;
  has_ranges_ = size.has_value();
  if (head.status == 416) {
    file_.size = 0;
  } else {
    file_.size = size ? *size : head.content_length.value_or(kUnknownSize);
  }
  if (file_.size == kUnknownSize) {
    network_fail(Retry::kNo, url.origin(), ": the server does not say the size of the file");
  }
}

HttpOptions HttpsFile::options(const Url& url, const Cancellation* cancel) const {
  HttpOptions options;
  options.idle_timeout = kHttpsIdleTime;
  options.waiting = {settings_.waiting.clock, cancel};
  options.tls = tls_;
  options.proxy = proxy_for(url, settings_.environment);
  return options;
}

HttpRequest HttpsFile::request(const Hop& hop) const {
  HttpRequest request;
  request.target = hop.url.target;
  if (settings_.authorization && hop.may_authenticate) {
    request.headers.push_back({"Authorization", std::string(settings_.authorization->reveal())});
  }
  return request;
}

// Goes to the end of the redirects and asks for the first byte.
HttpHead HttpsFile::probe(TimePoint deadline) {
  for (;;) {
    auto connection =
        std::make_unique<HttpConnection>(hop_.url, options(hop_.url, settings_.waiting.cancel));
    HttpRequest first = request(hop_);
    first.headers.push_back({"Range", "bytes=0-0"});
    HttpHead head = connection->start(first, deadline);
    if (const auto next = next_hop(hop_, head)) {
      hop_ = *next;
      continue;
    }
    if (head.status / 100 != 2 && head.status != 416) refuse_status(head, hop_.url);
    if (head.status == 200) whole_ = std::move(connection);
    return head;
  }
}

void HttpsFile::get(const ByteSink& sink) {
  if (file_.size == 0) return;
  if (whole_) {
    const TimePoint deadline = settings_.waiting.clock->now() + settings_.download.budget;
    std::exchange(whole_, nullptr)->read_body(sink, deadline);
    return;
  }
  if (!has_ranges_) {
    network_fail(Retry::kNo, hop_.url.origin(), ": the server gives the file once only");
  }
  download_file(
      file_, [this](const Cancellation* cancel) { return std::make_unique<Reader>(*this, cancel); },
      settings_.download, *settings_.waiting.clock, sink);
}

}  // namespace lambert
