// Profiles of the AWS command line, ~/.aws/config and ~/.aws/credentials ("Configuration and
// credential file settings" of its user guide).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "net/environment.h"

namespace lambert {

// Settings by name. Values may be secrets: they must not come into messages.
using AwsSection = std::map<std::string, std::string>;
using AwsSections = std::map<std::string, AwsSection>;

// Sections by the text between their brackets. Settings nested below another ("s3 =") are left out.
// Throws kInvalidArgument, naming `source` and the line, for a line that is none; kLimitExceeded
// above 1 MiB.
AwsSections parse_aws_config(std::string_view text, std::string_view source);

class AwsConfig {
 public:
  // Reads the files that AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name, else those in the
  // directory .aws of HOME. A file that is not there is empty. Throws as above, and kIo.
  explicit AwsConfig(const Environment& environment);

  // Settings of a profile, those of the credentials file first; none when no file has it.
  std::optional<AwsSection> profile(const std::string& name) const;
  // Of [sso-session NAME].
  std::optional<AwsSection> sso_session(const std::string& name) const;

 private:
  AwsSections config_, credentials_;
};

// The directory .aws, without '/' at its end; "" without HOME.
std::string aws_directory(const Environment& environment);

// The setting's value, "" where there is none.
std::string setting(const AwsSection& section, const std::string& name);

}  // namespace lambert
