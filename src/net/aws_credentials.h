// Keys for AWS, as one value.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "net/clock.h"
#include "net/secret.h"

namespace lambert {

struct AwsCredentials {
  std::string access_key_id;  // no secret by itself, yet not shown in messages
  Secret secret_access_key;
  Secret session_token;             // empty for long-lived keys
  std::optional<WallTime> expires;  // none: not before the process ends
  std::string source;               // where they are from, for messages: "environment", ...
};

}  // namespace lambert
