#include "net/command_line_credentials.h"

#include <sys/wait.h>

#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/json_member.h"
#include "base/mapped_file.h"
#include "net/credential_json.h"
#include "net/digest.h"
#include "net/http_client.h"
#include "net/network_error.h"
#include "net/retry.h"
#include "net/sigv4.h"

namespace lambert {

namespace {

namespace json = boost::json;

constexpr std::size_t kMaxPortalReply = std::size_t{64} << 10;
constexpr std::chrono::seconds kPortalTime{20};

struct SsoToken {
  Secret token;
  std::string region;
};

std::string sha1_hex(std::string_view text) {
  Digest digest(DigestKind::kSha1);
  digest.update(std::as_bytes(std::span(text)));
  return hex(digest.finish());
}

// The cache's file is called after the session, or in older profiles after the start URL.
SsoToken cached_token(const std::string& session, const std::string& key, std::string region,
                      const Environment& environment, const Clock& clock) {
  const std::string path = aws_directory(environment) + "/sso/cache/" + sha1_hex(key) + ".json";
  const std::string advice =
      "; run `aws sso login" + (session.empty() ? "" : " --sso-session " + session) + "`";
  std::string text;
  try {
    text = read_file(path, kMaxPortalReply);
  } catch (const Error& error) {
    fail(ErrorCode::kNotFound, "no token of AWS SSO: ", error.what(), advice);
  }
  const json::value value = parse_json(text, path, ErrorCode::kInvalidArgument);
  const json::object* const object = value.if_object();
  if (object == nullptr || string_at(*object, "accessToken").empty()) {
    fail(ErrorCode::kInvalidArgument, path, ": has no accessToken", advice);
  }
  const auto expires = parse_iso8601(string_at(*object, "expiresAt"));
  if (!expires || *expires <= clock.wall_time()) {
    fail(ErrorCode::kNotFound, path, ": the token of AWS SSO has expired", advice);
  }
  return {Secret(std::string(string_at(*object, "accessToken"))), std::move(region)};
}

}  // namespace

AwsCredentials sso_credentials(const AwsConfig& config, const AwsSection& section,
                               const Environment& environment, const Waiting& waiting) {
  const std::string session = setting(section, "sso_session");
  AwsSection sso = section;
  if (!session.empty()) {
    const auto found = config.sso_session(session);
    if (!found) {
      fail(ErrorCode::kInvalidArgument, "the AWS configuration has no [sso-session ",
           quote(session), "]");
    }
    sso = *found;
  }
  const std::string key = session.empty() ? setting(sso, "sso_start_url") : session;
  const SsoToken token =
      cached_token(session, key, setting(sso, "sso_region"), environment, *waiting.clock);
  const auto other = environment("AWS_ENDPOINT_URL_SSO");
  const Url url =
      other ? parse_url(*other, "AWS_ENDPOINT_URL_SSO")
            : parse_url("https://portal.sso." + token.region + ".amazonaws.com", "sso_region");
  HttpOptions options;
  options.waiting = waiting;
  options.tls = std::make_shared<TlsClient>(environment);
  options.proxy = proxy_for(url, environment);
  HttpConnection connection(url, options);
  const HttpRequest request{
      .target =
          "/federation/credentials?role_name=" + uri_encode(setting(section, "sso_role_name")) +
          "&account_id=" + uri_encode(setting(section, "sso_account_id")),
      .headers = {{"x-amz-sso_bearer_token", std::string(token.token.reveal())}}};
  const TimePoint deadline = waiting.clock->now() + kPortalTime;
  return Retrier({}, waiting, std::random_device{}()).run(deadline, [&] {
    const HttpResponse response = connection.request(request, kMaxPortalReply, deadline);
    const int status = response.head.status;
    if (status != 200) {
      network_fail(status >= 500 || status == 429 ? Retry::kYes : Retry::kNo, url.origin(),
                   ": AWS SSO refused: status ", status, "; run `aws sso login` again");
    }
    const json::value value = parse_json(response.body, url.origin(), ErrorCode::kIo);
    const json::object* const root = value.if_object();
    const json::object* const role =
        root != nullptr ? object_at(*root, "roleCredentials") : nullptr;
    if (role == nullptr) network_fail(Retry::kNo, url.origin(), ": no roleCredentials");
    return read_credentials(*role, "AWS SSO",
                            {"accessKeyId", "secretAccessKey", "sessionToken", "expiration"});
  });
}

AwsCredentials process_credentials(const std::string& command) {
  struct Close {
    void operator()(FILE* pipe) const { ::pclose(pipe); }
  };
  std::unique_ptr<FILE, Close> pipe(::popen(command.c_str(), "re"));
  if (!pipe) fail(ErrorCode::kIo, "credential_process: the program cannot be started");
  std::string output;
  char buffer[4096];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, pipe.get())) > 0;) {
    if (output.size() + got > kMaxPortalReply) {
      fail(ErrorCode::kLimitExceeded, "credential_process: prints more than ", kMaxPortalReply,
           " bytes");
    }
    output.append(buffer, got);
  }
  const int status = ::pclose(pipe.release());
  if (status != 0) {
    fail(ErrorCode::kIo, "credential_process: ended with ",
         WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
  return read_credential_json(output, "credential_process",
                              {"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"});
}

}  // namespace lambert
