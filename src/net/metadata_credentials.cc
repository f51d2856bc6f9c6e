#include "net/metadata_credentials.h"

#include "base/error.h"
#include "base/mapped_file.h"
#include "net/ascii.h"
#include "net/credential_json.h"
#include "net/http_client.h"
#include "net/network_error.h"
#include "net/retry.h"
#include "net/sigv4.h"

namespace lambert {

namespace {

constexpr std::size_t kMaxMetadata = std::size_t{64} << 10;
constexpr std::chrono::milliseconds kContainerTime{10'000}, kInstanceTime{1'000};

// No proxy: these answer for this machine alone.
HttpConnection metadata_connection(const Url& url, const Environment& environment,
                                   const Waiting& waiting) {
  HttpOptions options;
  options.waiting = waiting;
  options.connect_timeout = std::chrono::milliseconds(1'000);
  if (url.https) options.tls = std::make_shared<TlsClient>(environment);
  return HttpConnection(url, options);
}

bool may_be_asked(const Url& url) {
  return url.https || is_loopback(url.host) || url.host == "169.254.170.2" ||
         url.host == "169.254.170.23" || url.host == "fd00:ec2::23";
}

std::optional<Url> container_url(const Environment& environment) {
  if (const auto path = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    return parse_url("http://169.254.170.2" + *path, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  }
  const auto full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (!full) return std::nullopt;
  const Url url = parse_url(*full, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (may_be_asked(url)) return url;
  fail(ErrorCode::kInvalidArgument, "AWS_CONTAINER_CREDENTIALS_FULL_URI: http to ",
       quote(url.host, 255),
       ", expected https, a loopback address, 169.254.170.2, 169.254.170.23 or [fd00:ec2::23]");
}

HttpHeaders container_headers(const Environment& environment) {
  std::string token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
  if (const auto file = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
    token = std::string(ascii_trim(read_file(*file, kMaxMetadata)));
  }
  if (token.empty()) return {};
  return {{"Authorization", token}};
}

}  // namespace

std::optional<AwsCredentials> container_credentials(const Environment& environment,
                                                    const Waiting& waiting) {
  const auto url = container_url(environment);
  if (!url) return std::nullopt;
  HttpConnection connection = metadata_connection(*url, environment, waiting);
  const HttpRequest request{.target = url->target, .headers = container_headers(environment)};
  const TimePoint deadline = waiting.clock->now() + kContainerTime;
  return Retrier({}, waiting, std::random_device{}()).run(deadline, [&] {
    const HttpResponse response = connection.request(request, kMaxMetadata, deadline);
    if (response.head.status != 200) {
      network_fail(response.head.status >= 500 ? Retry::kYes : Retry::kNo, url->origin(),
                   ": the container's credentials were refused: status ", response.head.status);
    }
    return read_credential_json(response.body, "the container's credentials", {});
  });
}

std::optional<AwsCredentials> instance_credentials(const Environment& environment,
                                                   const Waiting& waiting) {
  if (ascii_lower(environment("AWS_EC2_METADATA_DISABLED").value_or("")) == "true") {
    return std::nullopt;
  }
  const Url url =
      parse_url(environment("AWS_EC2_METADATA_SERVICE_ENDPOINT").value_or("http://169.254.169.254"),
                "AWS_EC2_METADATA_SERVICE_ENDPOINT");
  HttpConnection connection = metadata_connection(url, environment, waiting);
  const TimePoint deadline = waiting.clock->now() + kInstanceTime;
  const std::string place = "/latest/meta-data/iam/security-credentials/";
  try {
    const HttpResponse token =
        connection.request({.method = "PUT",
                            .target = "/latest/api/token",
                            .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}}},
                           kMaxMetadata, deadline);
    if (token.head.status != 200) return std::nullopt;
    const HttpHeaders headers = {{"X-aws-ec2-metadata-token", token.body}};
    const HttpResponse roles =
        connection.request({.target = place, .headers = headers}, kMaxMetadata, deadline);
    const std::string role(ascii_trim(roles.body.substr(0, roles.body.find('\n'))));
    if (roles.head.status != 200 || role.empty()) return std::nullopt;
    const HttpResponse found = connection.request(
        {.target = place + uri_encode(role), .headers = headers}, kMaxMetadata, deadline);
    if (found.head.status != 200) return std::nullopt;
    return read_credential_json(found.body, "the instance's role " + quote(role), {});
  } catch (const NetworkError&) {
    return std::nullopt;  // no instance of EC2
  }
}

}  // namespace lambert
