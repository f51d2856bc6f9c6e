#include "net/sts.h"

#include "base/error.h"
#include "net/credential_json.h"
#include "net/http_client.h"
#include "net/network_error.h"
#include "net/retry.h"
#include "net/sigv4.h"
#include "net/xml.h"

namespace lambert {

namespace {

constexpr std::chrono::seconds kStsTime{20};
constexpr std::size_t kMaxStsReply = std::size_t{64} << 10;

Url sts_url(const std::string& region, const Environment& environment) {
  for (const char* const variable : {"AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"}) {
    if (const auto url = environment(variable)) return parse_url(*url, variable);
  }
  return parse_url("https://sts." + region + ".amazonaws.com", "the region");
}

std::string form_of(const RoleRequest& request) {
  const bool web = !request.as.has_value();
  std::string form = web ? "Action=AssumeRoleWithWebIdentity" : "Action=AssumeRole";
  form += "&Version=2011-06-15";
  const auto add = [&](const char* name, std::string_view value) {
    if (!value.empty()) form += "&" + std::string(name) + "=" + uri_encode(value);
  };
  add("RoleArn", request.role_arn);
  add("RoleSessionName", request.session_name.empty() ? "lambert" : request.session_name);
  add("ExternalId", request.external_id);
  add("DurationSeconds", request.duration_seconds);
  if (web) add("WebIdentityToken", request.web_identity_token.reveal());
  return form;
}

AwsCredentials read_reply(const HttpResponse& response, const RoleRequest& request,
                          const std::string& where) {
  const XmlElement root = parse_xml(response.body, where, ErrorCode::kIo);
  if (response.head.status != 200) {
    const XmlElement* const error = root.child("Error");
    network_fail(response.head.status >= 500 ? Retry::kYes : Retry::kNo, where, ": the role ",
                 quote(request.role_arn, 300), " was not assumed: status ", response.head.status,
                 error != nullptr ? ", " + quote(error->text_of("Code")) + ": " +
                                        quote(error->text_of("Message"), 400)
                                  : "");
  }
  const char* const result =
      request.as.has_value() ? "AssumeRoleResult" : "AssumeRoleWithWebIdentityResult";
  const XmlElement* found = root.child(result);
  if (found != nullptr) found = found->child("Credentials");
  if (found == nullptr || found->text_of("AccessKeyId").empty() ||
      found->text_of("SecretAccessKey").empty()) {
    network_fail(Retry::kNo, where, ": the reply has no Credentials");
  }
  return {std::string(found->text_of("AccessKeyId")),
          Secret(std::string(found->text_of("SecretAccessKey"))),
          Secret(std::string(found->text_of("SessionToken"))),
          parse_iso8601(found->text_of("Expiration")), "the role " + request.role_arn};
}

}  // namespace

AwsCredentials assume_role(const RoleRequest& request, const Environment& environment,
                           const Waiting& waiting) {
  const std::string region = request.region.empty() ? "us-east-1" : request.region;
  const Url url = sts_url(region, environment);
  HttpOptions options;
  options.waiting = waiting;
  options.tls = std::make_shared<TlsClient>(environment);
  options.proxy = proxy_for(url, environment);
  HttpConnection connection(url, options);
  const TimePoint deadline = waiting.clock->now() + kStsTime;
  const std::string form = form_of(request);
  return Retrier({}, waiting, std::random_device{}()).run(deadline, [&] {
    HttpRequest post{.method = "POST",
                     .target = "/",
                     .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                     .body = form};
    if (request.as) {
      sign_request(post, url.authority(), *request.as, {region, "sts"}, waiting.clock->wall_time());
    }
    return read_reply(connection.request(post, kMaxStsReply, deadline), request, url.origin());
  });
}

}  // namespace lambert
