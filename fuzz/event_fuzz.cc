// Any bytes as the event of an invocation that cannot be answered, in both ways to reply: no event,
// or a result that is JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "serve/lambda_event.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view event(reinterpret_cast<const char*>(data), size);
  const lambert::Error error(lambert::ErrorCode::kDeadlineExceeded, "too late");
  for (const bool compat : {false, true}) {
    std::string json;
    try {
      lambert::EventSettings settings;
      settings.compat_2020 = compat;
      json = refuse_event(event, error, settings).json;
    } catch (const lambert::Error&) {
      continue;
    }
    try {
      lambert::parse_json(json, "result", lambert::ErrorCode::kInternal);
    } catch (const lambert::Error&) {
      std::abort();
    }
  }
  return 0;
}
