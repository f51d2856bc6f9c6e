// Files of torch.save, as pytorch_model.bin: a zip archive of one pickle and the storages (torch
// >= 1.6), or five pickles and the storages one after another (before, "legacy").
//
// Stricter than torch 2.15 with weights_only: a storage has exactly the size that it should; zip
// checksums count and nothing is there twice; a legacy file is little-endian, holds every storage
// and ends after the last; at most 10,000 tensors, names of at most 512 bytes, and the limits of
// pickle.h. Wider: pickle protocols 3 and 4, zip archives that were packed anew.
#pragma once

#include <span>
#include <string_view>

#include "checkpoint/tensor.h"

namespace lambert {

// By its first bytes: a zip archive or the legacy magic number.
bool is_torch_file(std::span<const std::byte> file);

// Pushes the tensors, those of one storage after another. `source` names the file in messages.
// Throws kInvalidModel, kLimitExceeded, and kUnsupportedModel for what else such files hold, saying
// what to do. Nothing in the file is executed.
void read_torch_file(std::span<const std::byte> file, std::string_view source,
                     const TensorSink& sink);

}  // namespace lambert
