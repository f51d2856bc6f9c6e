// Any bytes as a bundle, as they are and with the checksum that their header should have: either
// refused, or every section lies in the file behind the header, over no other, and is found by its
// name; written anew it has the same sections.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>

#include "base/error.h"
#include "checkpoint/bundle.h"
#include "checkpoint/bundle_writer.h"

namespace {

void check_sections(const lambert::Bundle& bundle, std::span<const std::byte> file) {
  std::size_t sum = 0, header = 64 + 32 * bundle.sections().size();
  std::size_t bytes = header;
  for (const auto& section : bundle.sections()) {
    const auto found = bundle.get(section.kind, section.index);
    const auto of_kind = bundle.sections(section.kind);
    if (found.data() != section.bytes.data() || found.size() != section.bytes.size()) std::abort();
    if (&section < of_kind.data() || &section >= of_kind.data() + of_kind.size()) std::abort();
    // Reading all bytes shows the sanitizers a span that is wrong.
    for (const std::byte byte : section.bytes) sum += std::to_integer<std::size_t>(byte);
    if (section.bytes.data() < file.data() + header) std::abort();
    if ((section.bytes.data() - file.data()) % 64 != 0) std::abort();
    bytes += section.bytes.size();
  }
  if (bytes > file.size() || sum > 255 * bytes) std::abort();  // more only if they overlap
}

void write_anew(const lambert::Bundle& bundle) {
  std::string memory;
  lambert::BundleWriter writer(&memory, bundle.sections().size());
  for (const auto& section : bundle.sections()) {
    writer.add(section.kind, section.index, section.bytes);
  }
  writer.finish();
  const lambert::Bundle again(std::as_bytes(std::span(memory)), "fuzz");
  again.verify();
  for (const auto& section : bundle.sections()) {
    const auto bytes = again.get(section.kind, section.index);
    if (!std::equal(bytes.begin(), bytes.end(), section.bytes.begin(), section.bytes.end())) {
      std::abort();
    }
  }
}

void read(std::span<const std::byte> file) {
  std::optional<lambert::Bundle> bundle;
  try {
    bundle.emplace(file, "fuzz");
  } catch (const lambert::Error&) {
    return;
  }
  if (!lambert::is_bundle(file)) std::abort();
  check_sections(*bundle, file);
  write_anew(*bundle);
  try {
    bundle->verify();
  } catch (const lambert::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = std::as_bytes(std::span(data, size));
  read(file);
  if (size < lambert::kBundleHeaderBytes) return 0;
  std::uint32_t header = 0;
  for (int i = 3; i >= 0; --i) header = header << 8 | data[16 + i];
  if (header < lambert::kBundleHeaderBytes || header > size) return 0;
  std::string sealed(reinterpret_cast<const char*>(data), size);
  const std::uint32_t checksum = lambert::bundle_header_checksum(file.first(header));
  for (std::size_t i = 0; i < 4; ++i) {
    sealed[lambert::kBundleChecksumAt + i] = static_cast<char>(checksum >> 8 * i & 0xFF);
  }
  read(std::as_bytes(std::span(sealed)));
  return 0;
}
