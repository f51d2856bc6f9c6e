// One file from a server, its parts fetched by several connections at once, given on in order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/byte_sink.h"
#include "net/retry.h"

namespace lambert {

struct RemoteFile {
  std::string name;  // without directories
  std::uint64_t size = 0;
  std::string etag;  // of this version, as the server writes it; "" where it has none
};

// One connection's way to a file. For one thread at a time.
class RangeReader {
 public:
  virtual ~RangeReader() = default;
  // Bytes [begin, end), all of them or a NetworkError; `sink` has what came before that. Throws
  // one that is not retryable when the file is another version by now.
  virtual void read(std::uint64_t begin, std::uint64_t end, const ByteSink& sink,
                    TimePoint deadline) = 0;
};

struct DownloadSettings {
  std::uint64_t part_bytes = std::uint64_t{4} << 20;
  unsigned connections = 4;
  unsigned window = 8;  // parts that wait in memory at most
  RetryPolicy retry = {.max_attempts = 5};
  std::chrono::milliseconds budget{300'000};  // for all of it, waits included
};

// Opens a connection whose waits end with `cancel`.
using OpenRange = std::function<std::unique_ptr<RangeReader>(const Cancellation* cancel)>;

// Pushes all of the file to `sink`, in this thread. A part that fails is taken up where it broke
// off. Throws the first error, and what the sink throws; no thread is left behind.
void download_file(const RemoteFile& file, const OpenRange& open, const DownloadSettings& settings,
                   const Clock& clock, const ByteSink& sink);

}  // namespace lambert
