// Any bytes as a file of ~/.aws and as the JSON of an endpoint or program: refused without a word
// of what is in it, or keys.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "net/aws_config.h"
#include "net/credential_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    for (const auto& [name, section] : lambert::parse_aws_config(text, "fuzz")) {
      if (name.find('\n') != name.npos) std::abort();
      for (const auto& [key, value] : section) {
        if (key.find('\n') != key.npos || value.find('\n') != value.npos) std::abort();
      }
    }
  } catch (const lambert::Error&) {
  }
  try {
    const lambert::AwsCredentials keys = lambert::read_credential_json(text, "fuzz", {});
    if (keys.access_key_id.empty() || keys.secret_access_key.empty()) std::abort();
  } catch (const lambert::Error&) {
  }
  lambert::parse_iso8601(text);
  return 0;
}
