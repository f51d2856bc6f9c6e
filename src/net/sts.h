// Temporary keys from AWS STS.
#pragma once

#include <optional>
#include <string>

#include "net/aws_credentials.h"
#include "net/environment.h"
#include "net/socket.h"

namespace lambert {

struct RoleRequest {
  std::string role_arn, session_name, external_id;  // external_id: may be ""
  std::string duration_seconds;                     // "": STS's default
  std::string region;                               // "": us-east-1
  // One of these: keys that may assume the role, or a token of another identity provider.
  std::optional<AwsCredentials> as = {};
  Secret web_identity_token = {};
};

// AssumeRole or AssumeRoleWithWebIdentity. AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL in
// `environment` name another endpoint. Throws NetworkError with what STS says.
AwsCredentials assume_role(const RoleRequest& request, const Environment& environment,
                           const Waiting& waiting);

}  // namespace lambert
