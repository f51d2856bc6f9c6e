// Where a model's files are: a local directory in Hugging Face's layout.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"

namespace lambert {

// Small files are read whole, weights are mapped. Owns all of it.
struct ModelFiles {
  std::string path;                                      // as given
  std::string config_json;                               // always there
  std::optional<std::string> tokenizer_json, vocab_txt;  // one of them is always there
  std::optional<std::string> tokenizer_config_json, special_tokens_map_json, added_tokens_json;
  std::vector<MappedFile> weights;  // model.safetensors, or all shards of its index, sorted
};

// The file names that the JSON text of a shard index refers to; `source` names it in messages.
using ShardsOfIndex =
    std::function<std::vector<std::string>(std::string_view json, std::string_view source)>;

// Formats are not the business of this layer: parse_safetensors_index is passed in. Throws what it
// throws, and kNotFound when the directory, config.json, weights or the tokenizer are missing (the
// message lists what is there and what was looked for), kUnsupportedModel for weights or a
// tokenizer in another format only (pytorch_model.bin, tf_model.h5, model.onnx, spiece.model, ...)
// and for model.safetensors that is a zip, a pickle, gzip, tar, HDF5 or GGUF,
// kInvalidModel for a Git LFS pointer in place of a file, kLimitExceeded for
// a text file above 64 MiB. model.safetensors is preferred to an index, as in transformers.
ModelFiles open_model_files(const std::string& path, const ShardsOfIndex& shards_of_index);

}  // namespace lambert
