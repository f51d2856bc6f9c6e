// The pickle in a file of torch.save: which tensors there are and over which storages they lie
// (torch/serialization.py, torch/_utils.py).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/tensor.h"

namespace lambert {

// The two kinds of file: storages as files of a zip archive (torch >= 1.6), or one after another.
enum class TorchFormat { kZip, kLegacy };

struct TorchStorage {
  std::string_view key;
  DType dtype = DType::kU8;
  std::uint64_t elements = 0;  // elements * item_size(dtype) does not overflow
  std::uint64_t bytes() const { return elements * item_size(dtype); }
};

// Lies within its storage: checked.
struct TorchTensor {
  std::string_view name;
  std::size_t storage = 0;  // index into storages
  DType dtype = DType::kF32;
  std::uint64_t offset = 0;                  // in bytes
  std::vector<std::uint64_t> shape, stride;  // in elements

  // Row-major without gaps, so that its bytes are one piece of the storage.
  bool contiguous() const;
};

// Strings are views into the pickle.
struct TorchState {
  static constexpr std::size_t kMaxTensors = 10'000;
  static constexpr std::size_t kMaxNameBytes = 512;
  static constexpr std::size_t kMaxDimensions = 64;

  std::vector<TorchStorage> storages;
  std::vector<TorchTensor> tensors;  // those of one storage together
  std::size_t pickle_bytes = 0;
};

// Reads the pickle at the beginning of `bytes`. Its root is a dictionary of tensors by name, or one
// that holds such a dictionary ("state_dict", "model", ...); what else it holds is left out. A
// closed list of names stands for torch's functions, and none is ever called. `source` names the
// file in messages. Throws kInvalidModel, kLimitExceeded, and kUnsupportedModel for pickled
// modules and types of storages that no weight of ours can have.
TorchState read_torch_state(std::span<const std::byte> bytes, std::string_view source,
                            TorchFormat format);

}  // namespace lambert
