#include "net/aws_config.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/mapped_file.h"
#include "net/ascii.h"

namespace lambert {

namespace {

constexpr std::size_t kMaxAwsConfig = std::size_t{1} << 20;

[[noreturn]] void refuse_line(std::string_view source, std::size_t line, const char* what) {
  // The line itself may hold a secret.
  fail(ErrorCode::kInvalidArgument, source, ": line ", line, ": ", what,
       ", expected [section] or name = value");
}

AwsSections read_aws_file(const std::string& path) {
  try {
    return parse_aws_config(read_file(path, kMaxAwsConfig), path);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kNotFound) return {};
    throw;
  }
}

std::optional<AwsSection> find_section(const AwsSections& sections, const std::string& name) {
  const auto found = sections.find(name);
  return found == sections.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

AwsSections parse_aws_config(std::string_view text, std::string_view source) {
  if (text.size() > kMaxAwsConfig) {
    fail(ErrorCode::kLimitExceeded, source, ": has ", text.size(), " bytes, at most ",
         kMaxAwsConfig, " are accepted");
  }
  AwsSections sections;
  AwsSection* section = nullptr;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view whole = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    const std::string_view line = ascii_trim(whole);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (whole.front() == ' ' || whole.front() == '\t') continue;  // nested in the one above
    if (line.front() == '[') {
      const std::size_t close = line.find(']');
      if (close == line.npos) refuse_line(source, number, "a section without ]");
      section = &sections[std::string(ascii_trim(line.substr(1, close - 1)))];
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == line.npos) refuse_line(source, number, "no =");
    if (section == nullptr) refuse_line(source, number, "a setting before any section");
    (*section)[ascii_lower(ascii_trim(line.substr(0, equals)))] =
        std::string(ascii_trim(line.substr(equals + 1)));
  }
  return sections;
}

std::string aws_directory(const Environment& environment) {
  const auto home = environment("HOME");
  return home ? *home + "/.aws" : "";
}

std::string setting(const AwsSection& section, const std::string& name) {
  const auto found = section.find(name);
  return found == section.end() ? "" : found->second;
}

AwsConfig::AwsConfig(const Environment& environment) {
  const std::string directory = aws_directory(environment);
  const auto path = [&](const char* variable, const char* file) {
    return environment(variable).value_or(directory.empty() ? "" : directory + "/" + file);
  };
  if (const std::string file = path("AWS_CONFIG_FILE", "config"); !file.empty()) {
    config_ = read_aws_file(file);
  }
  if (const std::string file = path("AWS_SHARED_CREDENTIALS_FILE", "credentials"); !file.empty()) {
    credentials_ = read_aws_file(file);
  }
}

std::optional<AwsSection> AwsConfig::profile(const std::string& name) const {
  auto found = find_section(credentials_, name);
  auto more = find_section(config_, "profile " + name);
  if (!more && name == "default") more = find_section(config_, name);
  if (found && more) found->merge(*more);
  return found ? found : more;
}

std::optional<AwsSection> AwsConfig::sso_session(const std::string& name) const {
  return find_section(config_, "sso-session " + name);
}

}  // namespace lambert
