#include "store/checksum.h"

#include <zlib.h>

#include "net/digest.h"

namespace lambert {

namespace {

struct ChecksumHeader {
  const char* name;
  Checksum::Kind kind;
};
constexpr ChecksumHeader kChecksumHeaders[] = {{"x-amz-checksum-sha256", Checksum::Kind::kSha256},
                                               {"x-amz-checksum-sha1", Checksum::Kind::kSha1},
                                               {"x-amz-checksum-crc32", Checksum::Kind::kCrc32}};

}  // namespace

std::optional<Checksum> checksum_of(const HttpHead& head) {
  const std::string* const type = head.find("x-amz-checksum-type");
  if (type != nullptr && *type != "FULL_OBJECT") return std::nullopt;
  for (const ChecksumHeader& header : kChecksumHeaders) {
    const std::string* const value = head.find(header.name);
    // "...-3": of three parts.
    if (value != nullptr && value->find('-') == value->npos) return Checksum{header.kind, *value};
  }
  return std::nullopt;
}

struct ChecksumCounter::State {
  std::optional<Digest> digest;
  unsigned long crc = ::crc32(0, nullptr, 0);
};

ChecksumCounter::ChecksumCounter(Checksum::Kind kind) : state_(std::make_unique<State>()) {
  if (kind == Checksum::Kind::kSha256) state_->digest.emplace(DigestKind::kSha256);
  if (kind == Checksum::Kind::kSha1) state_->digest.emplace(DigestKind::kSha1);
}

ChecksumCounter::~ChecksumCounter() = default;

void ChecksumCounter::update(std::span<const std::byte> bytes) {
  if (state_->digest) {
    state_->digest->update(bytes);
  } else {
    state_->crc =
        ::crc32_z(state_->crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  }
}

std::string ChecksumCounter::finish() {
  if (state_->digest) return base64(state_->digest->finish());
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(state_->crc >> shift);
  return base64(bytes);
}

}  // namespace lambert
