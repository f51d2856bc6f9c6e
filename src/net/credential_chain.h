// Where the keys for AWS come from: the places that its own tools look in, in their order.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "net/aws_config.h"
#include "net/aws_credentials.h"
#include "net/environment.h"
#include "net/http_client.h"

namespace lambert {

struct CredentialSettings {
  Environment environment = process_environment();
  std::string profile = {};   // "": AWS_PROFILE, else "default"; named here, it goes first
  bool command_line = false;  // profiles may use SSO and credential_process
  Waiting waiting = {};
};

// Thread-safe.
//
// Environment variables, the profile, a web identity (AWS_WEB_IDENTITY_TOKEN_FILE), the container's
// endpoint (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI), the instance's (IMDSv2). What is
// configured and fails is an error: the next place is not asked in its stead.
class CredentialChain {
 public:
  explicit CredentialChain(CredentialSettings settings);

  // Keys that are good for five minutes at least, as far as is known. Throws kNotFound saying where
  // it looked, kInvalidArgument for what is configured wrongly, NetworkError.
  AwsCredentials get();
  // The next get() fetches anew.
  void forget();
  // AWS_REGION, AWS_DEFAULT_REGION, the profile's, or "".
  std::string region() const;

 private:
  AwsCredentials find();
  std::optional<AwsCredentials> from_environment() const;
  std::optional<AwsCredentials> from_profile() const;
  std::optional<AwsCredentials> from_web_identity() const;
  AwsCredentials from_section(const std::string& name, std::vector<std::string>& visited) const;
  AwsCredentials assume_role(const std::string& name, const AwsSection& section,
                             std::vector<std::string>& visited) const;
  std::string profile_name() const;
  std::string variable(const char* name) const;

  CredentialSettings settings_;
  AwsConfig config_;
  std::mutex mutex_;
  std::optional<AwsCredentials> held_;
};

}  // namespace lambert
