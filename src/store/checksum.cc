#include "store/checksum.h"

#include <zlib.h>

#include "base/crc.h"
#include "net/digest.h"

namespace lambert {

namespace {

struct ChecksumHeader {
  const char* name;
  Checksum::Kind kind;
};
constexpr ChecksumHeader kChecksumHeaders[] = {
    {"x-amz-checksum-sha256", Checksum::Kind::kSha256},
    {"x-amz-checksum-sha1", Checksum::Kind::kSha1},
    {"x-amz-checksum-crc64nvme", Checksum::Kind::kCrc64Nvme},
    {"x-amz-checksum-crc32c", Checksum::Kind::kCrc32c},
    {"x-amz-checksum-crc32", Checksum::Kind::kCrc32}};

// The last `bytes` bytes of a number, the highest first.
std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

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
  Checksum::Kind kind;
  std::optional<Digest> digest;
  Crc64Nvme crc64_nvme;
  Crc32c crc32c;
  unsigned long crc32 = ::crc32(0, nullptr, 0);
};

ChecksumCounter::ChecksumCounter(Checksum::Kind kind)
    : state_(std::make_unique<State>(State{kind, {}, {}, {}})) {
  if (kind == Checksum::Kind::kSha256) state_->digest.emplace(DigestKind::kSha256);
  if (kind == Checksum::Kind::kSha1) state_->digest.emplace(DigestKind::kSha1);
}

ChecksumCounter::~ChecksumCounter() = default;

void ChecksumCounter::update(std::span<const std::byte> bytes) {
  switch (state_->kind) {
    case Checksum::Kind::kSha256:
    case Checksum::Kind::kSha1: return state_->digest->update(bytes);
    case Checksum::Kind::kCrc64Nvme: return state_->crc64_nvme.update(bytes);
    case Checksum::Kind::kCrc32c: return state_->crc32c.update(bytes);
    case Checksum::Kind::kCrc32:
      state_->crc32 =
          ::crc32_z(state_->crc32, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
      return;
  }
}

std::string ChecksumCounter::finish() {
  switch (state_->kind) {
    case Checksum::Kind::kCrc64Nvme: return base64(big_endian(state_->crc64_nvme.value(), 8));
    case Checksum::Kind::kCrc32c: return base64(big_endian(state_->crc32c.value(), 4));
    case Checksum::Kind::kCrc32: return base64(big_endian(state_->crc32, 4));
    default: return base64(state_->digest->finish());
  }
}

}  // namespace lambert
