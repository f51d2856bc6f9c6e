// Any bytes as a safetensors file, and as a shard index: either refused, or every tensor is inside
// the file and of its size, and every name of a shard is a plain one.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "base/error.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/shard_index.h"

namespace {

void read_file(std::span<const std::byte> file) {
  std::size_t bytes = 0, sum = 0;  // reading all bytes shows the sanitizers a span that is wrong
  lambert::read_safetensors(file, "fuzz", [&](const lambert::Tensor& tensor) {
    if (tensor.data.size() != tensor.elements() * lambert::item_size(tensor.dtype)) std::abort();
    for (const std::byte byte : tensor.data) sum += std::to_integer<std::size_t>(byte);
    bytes += tensor.data.size();
  });
  if (bytes > file.size() || sum > 255 * bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    read_file(std::as_bytes(std::span(data, size)));
  } catch (const lambert::Error&) {
  }
  try {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const std::string& name : lambert::ShardIndex(text, "fuzz").shards()) {
      if (name.find('/') != std::string::npos || name.front() == '.') std::abort();
    }
  } catch (const lambert::Error&) {
  }
  return 0;
}
