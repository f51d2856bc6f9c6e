// Any bytes as a file of torch.save: either refused, or every tensor has the bytes of its shape.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "base/error.h"
#include "checkpoint/torch_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::size_t sum = 0;  // reading all bytes shows the sanitizers a span that is wrong
  try {
    lambert::read_torch_file(
        std::as_bytes(std::span(data, size)), "fuzz", [&](const lambert::Tensor& tensor) {
          if (tensor.data.size() != tensor.elements() * lambert::item_size(tensor.dtype)) {
            std::abort();
          }
          for (const std::byte byte : tensor.data) sum += std::to_integer<std::size_t>(byte);
        });
  } catch (const lambert::Error&) {
  }
  return sum == ~std::size_t{0} ? 1 : 0;
}
