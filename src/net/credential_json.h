// Credentials as AWS's services and tools write them in JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "net/aws_credentials.h"

namespace lambert {

// Names of the members, which differ between services.
struct CredentialNames {
  const char* access_key_id = "AccessKeyId";
  const char* secret_access_key = "SecretAccessKey";
  const char* session_token = "Token";
  const char* expiration = "Expiration";  // "2026-01-31T12:00:00Z", or milliseconds since 1970
};

// Throws kInvalidArgument, naming `source` and never a value, where a key is missing.
AwsCredentials read_credential_json(std::string_view text, std::string_view source,
                                    const CredentialNames& names);
AwsCredentials read_credentials(const boost::json::object& object, std::string_view source,
                                const CredentialNames& names);

// "2026-01-31T12:00:00Z", with a fraction of a second or not, or with +00:00 in place of Z.
std::optional<WallTime> parse_iso8601(std::string_view text);

}  // namespace lambert
