// Any bytes as gzip, in one piece and byte by byte: the same content or refused both times.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "base/error.h"
#include "checkpoint/gzip.h"

namespace {

constexpr std::size_t kMostOut = 1 << 20;

// What comes out until the end, the first error or a mebibyte.
std::string decompress(std::span<const std::byte> file, std::size_t piece, bool& whole) {
  std::string content;
  try {
    lambert::GzipDecoder decoder("fuzz", [&](std::span<const std::byte> bytes) {
      content.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    });
    while (!file.empty() && content.size() < kMostOut) {
      const auto part = file.first(std::min(piece, file.size()));
      decoder.push(part);
      file = file.subspan(part.size());
    }
    if (file.empty()) decoder.finish();
    whole = file.empty();
  } catch (const lambert::Error&) {
    whole = false;
  }
  return content;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = std::as_bytes(std::span(data, size));
  bool at_once = false, piecewise = false;
  const std::string one = decompress(file, size + 1, at_once);
  if (one.size() >= kMostOut) return 0;  // piece by piece it stops elsewhere
  const std::string other = decompress(file, 1, piecewise);
  if (at_once != piecewise || (at_once && one != other)) std::abort();
  return 0;
}
