// Which of the files at one place are a model, in Hugging Face's layout.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "store/file_set.h"

namespace lambert {

// Small files are read whole, weights are mapped. Owns all of it.
struct ModelFiles {
  std::string path;                                      // where the weights are from
  std::string config_json, config_path;                  // always there
  std::optional<std::string> tokenizer_json, vocab_txt;  // one of them is always there
  std::optional<std::string> tokenizer_config_json, special_tokens_map_json, added_tokens_json;
  std::vector<NamedFile> weights;      // one file, or all shards of its index, sorted
  std::string index_name, index_json;  // "" for weights in one file

  // All of them, to write elsewhere as a model of their own. Views, valid as long as this.
  struct Content {
    std::string name;
    std::string_view bytes;
  };
  std::vector<Content> contents() const;
  std::vector<Content> texts() const;  // those without the weights
};

// The file names that the JSON text of a shard index refers to; `source` names it in messages.
using ShardsOfIndex =
    std::function<std::vector<std::string>(std::string_view json, std::string_view source)>;

// Chooses among `files`, whose weights count, in this order: model.safetensors, pytorch_model.bin,
// model.safetensors.index.json, pytorch_model.bin.index.json, the only *.safetensors, the only
// *.bin, *.pt or *.pth. config.json, and the tokenizer's files as a whole, come from `beside`
// where `files` has none.
//
// Formats are not the business of this layer: what reads an index is passed in. Throws what that
// throws, and kNotFound when config.json, weights or the tokenizer are missing (the message lists
// what is there and what was looked for), kUnsupportedModel for weights or a tokenizer in another
// format only (tf_model.h5, model.onnx, spiece.model, ...), kInvalidModel for several files that
// could each be the weights and for a Git LFS pointer in place of a file, kLimitExceeded for a
// text file above 64 MiB.
ModelFiles choose_model_files(FileSet files, std::optional<FileSet> beside,
                              const ShardsOfIndex& shards_of_index);

// Whether `path` is a directory. Throws kNotFound when it is not there, saying what to pass
// instead, and kIo.
bool is_model_directory(const std::string& path);

}  // namespace lambert
