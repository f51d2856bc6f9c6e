// Keys that only a person's command line uses: what `aws sso login` left, and programs that a
// profile names.
#pragma once

#include <string>

#include "net/aws_config.h"
#include "net/aws_credentials.h"
#include "net/socket.h"

namespace lambert {

// Of the profile `section` with sso_account_id and sso_role_name: asks the portal with the token in
// ~/.aws/sso/cache. AWS_ENDPOINT_URL_SSO names another portal. Throws kNotFound saying to log in,
// kInvalidArgument, NetworkError.
AwsCredentials sso_credentials(const AwsConfig& config, const AwsSection& section,
                               const Environment& environment, const Waiting& waiting);

// What the shell command prints: JSON with Version 1. Throws kInvalidArgument, and kIo with its
// exit code.
AwsCredentials process_credentials(const std::string& command);

}  // namespace lambert
