// Models of the Hugging Face Hub (hf://).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "store/https_file.h"
#include "store/hub_cache.h"
#include "store/uri.h"

namespace lambert {

struct HubSettings {
  Environment environment = process_environment();
  Waiting waiting = {};
  DownloadSettings download = {};
};

// The directory of the snapshot in the cache that Hugging Face's tools share. Fetches what is
// missing of the files `is_wanted` (names without directories); of weights in several formats
// safetensors alone. Offline, or when the Hub cannot be reached, what is in the cache serves.
// Throws kNotFound, NetworkError; what they say of gated and private models is what to do.
std::string fetch_from_hub(const Uri& uri, const HubSettings& settings,
                           const std::function<bool(std::string_view name)>& is_wanted);

}  // namespace lambert
