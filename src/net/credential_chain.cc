#include "net/credential_chain.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/mapped_file.h"
#include "net/ascii.h"
#include "net/command_line_credentials.h"
#include "net/metadata_credentials.h"
#include "net/sts.h"

namespace lambert {

namespace {

constexpr std::chrono::minutes kBeforeExpiry{5};
constexpr std::size_t kMaxToken = std::size_t{64} << 10;

AwsCredentials static_keys(const AwsSection& section, const std::string& source) {
  AwsCredentials keys{setting(section, "aws_access_key_id"),
                      Secret(setting(section, "aws_secret_access_key")),
                      Secret(setting(section, "aws_session_token")),
                      {},
                      source};
  if (keys.secret_access_key.empty()) {
    fail(ErrorCode::kInvalidArgument, source, ": has aws_access_key_id, but no ",
         "aws_secret_access_key");
  }
  return keys;
}

Secret token_file(const std::string& path) {
  return Secret(std::string(ascii_trim(read_file(path, kMaxToken))));
}

}  // namespace

CredentialChain::CredentialChain(CredentialSettings settings)
    : settings_(std::move(settings)), config_(settings_.environment) {}

std::string CredentialChain::variable(const char* name) const {
  return settings_.environment(name).value_or("");
}

std::string CredentialChain::profile_name() const {
  if (!settings_.profile.empty()) return settings_.profile;
  const std::string named = variable("AWS_PROFILE");
  return named.empty() ? "default" : named;
}

std::string CredentialChain::region() const {
  for (const char* const name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (const auto region = settings_.environment(name)) return *region;
  }
  const auto section = config_.profile(profile_name());
  return section ? setting(*section, "region") : "";
}

AwsCredentials CredentialChain::get() {
  const std::lock_guard lock(mutex_);
  const WallTime soon = settings_.waiting.clock->wall_time() + kBeforeExpiry;
  if (!held_ || (held_->expires && *held_->expires <= soon)) held_ = find();
  return *held_;
}

void CredentialChain::forget() {
  const std::lock_guard lock(mutex_);
  held_.reset();
}

AwsCredentials CredentialChain::find() {
  if (settings_.profile.empty()) {
    if (auto found = from_environment()) return *found;
  }
  if (auto found = from_profile()) return *found;
  if (auto found = from_web_identity()) return *found;
  if (auto found = container_credentials(settings_.environment, settings_.waiting)) return *found;
  if (auto found = instance_credentials(settings_.environment, settings_.waiting)) return *found;
  fail(
      ErrorCode::kNotFound, "no credentials for AWS; looked at AWS_ACCESS_KEY_ID, the profile ",
      quote(profile_name()),
      " of ~/.aws, AWS_WEB_IDENTITY_TOKEN_FILE, the container's and the instance's endpoints; ",
      "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, run `aws configure`, or give the function ",
      "or instance a role");
}

std::optional<AwsCredentials> CredentialChain::from_environment() const {
  const std::string id = variable("AWS_ACCESS_KEY_ID");
  if (id.empty()) return std::nullopt;
  AwsCredentials keys{id,
                      Secret(variable("AWS_SECRET_ACCESS_KEY")),
                      Secret(variable("AWS_SESSION_TOKEN")),
                      {},
                      "the environment"};
  if (keys.secret_access_key.empty()) {
    fail(ErrorCode::kInvalidArgument,
         "AWS_SECRET_ACCESS_KEY: is not set, but AWS_ACCESS_KEY_ID is");
  }
  return keys;
}

std::optional<AwsCredentials> CredentialChain::from_profile() const {
  const std::string name = profile_name();
  const auto section = config_.profile(name);
  if (!section) {
    if (settings_.profile.empty() && variable("AWS_PROFILE").empty()) return std::nullopt;
    fail(ErrorCode::kInvalidArgument, "the profile ", quote(name),
         " is neither in ~/.aws/config nor in ~/.aws/credentials");
  }
  const bool has_keys = std::any_of(section->begin(), section->end(), [](const auto& entry) {
    return entry.first == "aws_access_key_id" || entry.first == "role_arn" ||
           entry.first == "credential_process" || entry.first == "sso_role_name";
  });
  if (!has_keys) return std::nullopt;  // a region, perhaps
  std::vector<std::string> visited;
  return from_section(name, visited);
}

AwsCredentials CredentialChain::from_section(const std::string& name,
                                             std::vector<std::string>& visited) const {
  const std::string source = "the profile " + quote(name);
  if (std::find(visited.begin(), visited.end(), name) != visited.end()) {
    fail(ErrorCode::kInvalidArgument, source, ": its source_profile leads back to it");
  }
  const auto section = config_.profile(name);
  if (!section) fail(ErrorCode::kInvalidArgument, source, ": is not there, but another names it");
  // A profile may be its own source, with its own keys.
  const bool own_keys = !setting(*section, "aws_access_key_id").empty();
  visited.push_back(name);
  if (!setting(*section, "role_arn").empty()) return assume_role(name, *section, visited);
  if (own_keys) return static_keys(*section, source);
  const bool sso = !setting(*section, "sso_role_name").empty();
  const std::string process = setting(*section, "credential_process");
  if (!sso && process.empty()) fail(ErrorCode::kInvalidArgument, source, ": has no credentials");
  if (!settings_.command_line) {
    fail(ErrorCode::kInvalidArgument, source, ": uses ", sso ? "SSO" : "credential_process",
         ", which only the command line may; give the function or container a role");
  }
  return sso ? sso_credentials(config_, *section, settings_.environment, settings_.waiting)
             : process_credentials(process);
}

AwsCredentials CredentialChain::assume_role(const std::string& name, const AwsSection& section,
                                            std::vector<std::string>& visited) const {
  const std::string source = "the profile " + quote(name);
  if (!setting(section, "mfa_serial").empty()) {
    fail(ErrorCode::kInvalidArgument, source,
         ": wants a code of mfa_serial, which is not supported; log in with the AWS command line ",
         "and pass its keys in the environment");
  }
  RoleRequest request{.role_arn = setting(section, "role_arn"),
                      .session_name = setting(section, "role_session_name"),
                      .external_id = setting(section, "external_id"),
                      .duration_seconds = setting(section, "duration_seconds"),
                      .region = region()};
  const std::string from = setting(section, "source_profile");
  const std::string kind = ascii_lower(setting(section, "credential_source"));
  if (const std::string file = setting(section, "web_identity_token_file"); !file.empty()) {
    request.web_identity_token = token_file(file);
  } else if (from == name) {
    request.as = static_keys(section, source);
  } else if (!from.empty()) {
    request.as = from_section(from, visited);
  } else if (kind == "environment") {
    request.as = from_environment();
  } else if (kind == "ecscontainer") {
    request.as = container_credentials(settings_.environment, settings_.waiting);
  } else if (kind == "ec2instancemetadata") {
    request.as = instance_credentials(settings_.environment, settings_.waiting);
  } else {
    fail(ErrorCode::kInvalidArgument, source,
         ": has role_arn, but neither source_profile, credential_source nor ",
         "web_identity_token_file");
  }
  if (!request.as && request.web_identity_token.empty()) {
    fail(ErrorCode::kNotFound, source, ": no credentials to assume its role with");
  }
  return lambert::assume_role(request, settings_.environment, settings_.waiting);
}

std::optional<AwsCredentials> CredentialChain::from_web_identity() const {
  const std::string file = variable("AWS_WEB_IDENTITY_TOKEN_FILE");
  if (file.empty()) return std::nullopt;
  RoleRequest request{.role_arn = variable("AWS_ROLE_ARN"),
                      .session_name = variable("AWS_ROLE_SESSION_NAME"),
                      .external_id = {},
                      .duration_seconds = {},
                      .region = region()};
  if (request.role_arn.empty()) {
    fail(ErrorCode::kInvalidArgument,
         "AWS_ROLE_ARN: is not set, but AWS_WEB_IDENTITY_TOKEN_FILE is");
  }
  request.web_identity_token = token_file(file);
  return lambert::assume_role(request, settings_.environment, settings_.waiting);
}

}  // namespace lambert
