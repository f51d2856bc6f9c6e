// Any bytes as a model's archive, in one piece and in small ones: the same files or refused both
// times, every name once and without directories.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "checkpoint/archive_reader.h"

namespace {

using lambert::ArchivedFile;

std::optional<std::vector<ArchivedFile>> files_of(std::span<const std::byte> archive,
                                                  std::size_t piece) {
  try {
    lambert::ArchiveReader reader("fuzz", {.max_bytes = 1 << 20, .ratio_from = 1 << 20});
    while (!archive.empty()) {
      const auto part = archive.first(std::min(piece, archive.size()));
      reader.push(part);
      archive = archive.subspan(part.size());
    }
    return reader.finish();
  } catch (const lambert::Error&) {
    return std::nullopt;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto archive = std::as_bytes(std::span(data, size));
  const auto one = files_of(archive, size + 1), other = files_of(archive, 7);
  if (one.has_value() != other.has_value()) std::abort();
  if (!one) return 0;
  if (one->size() != other->size()) std::abort();
  for (std::size_t i = 0; i < one->size(); ++i) {
    const ArchivedFile &a = (*one)[i], &b = (*other)[i];
    if (a.name != b.name || a.file.text() != b.file.text()) std::abort();
    if (a.name.find('/') != a.name.npos || a.name.empty()) std::abort();
    for (std::size_t j = 0; j < i; ++j) {
      if ((*one)[j].name == a.name) std::abort();
    }
  }
  return 0;
}
