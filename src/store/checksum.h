// Checksums that S3 keeps of objects ("Checking object integrity" of its user guide).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/http_message.h"

namespace lambert {

struct Checksum {
  enum class Kind { kSha256, kSha1, kCrc64Nvme, kCrc32c, kCrc32 };
  Kind kind;
  std::string value;  // base64
};

// Of a whole object, from the head of a response: none where there is none of these kinds or it is
// of the parts of a multipart upload.
std::optional<Checksum> checksum_of(const HttpHead& head);

// For one thread.
class ChecksumCounter {
 public:
  explicit ChecksumCounter(Checksum::Kind kind);
  ~ChecksumCounter();
  void update(std::span<const std::byte> bytes);
  std::string finish();  // base64; once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lambert
