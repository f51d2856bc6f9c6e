// Any bytes as the pickle of a file of torch.save, of both kinds: either refused, or every tensor
// lies within its storage.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "base/error.h"
#include "checkpoint/torch_state.h"

namespace {

void check(const lambert::TorchState& state) {
  for (const lambert::TorchTensor& tensor : state.tensors) {
    std::uint64_t last = tensor.offset, item = lambert::item_size(tensor.dtype), elements = 1;
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      if (tensor.shape[i] == 0) elements = 0;
      if (tensor.shape[i] > 0) last += (tensor.shape[i] - 1) * tensor.stride[i] * item;
    }
    if (elements != 0 && last + item > state.storages.at(tensor.storage).bytes()) std::abort();
    static_cast<void>(tensor.contiguous());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto format : {lambert::TorchFormat::kZip, lambert::TorchFormat::kLegacy}) {
    try {
      check(read_torch_state(std::as_bytes(std::span(data, size)), "fuzz", format));
    } catch (const lambert::Error&) {
    }
  }
  return 0;
}
