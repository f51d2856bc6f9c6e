// From the name of a model to its files, wherever they are.
#pragma once

#include <optional>
#include <string>

#include "checkpoint/shard_index.h"
#include "store/model_files.h"

namespace lambert {

// The files of a model, and the index of its shards where it is in shards.
struct ModelSource {
  ModelFiles files;
  std::optional<ShardIndex> index;
};

// `model` is a directory, a file of weights, or a .tar or .tar.gz archive of a model. Configuration
// and tokenizer come from `config_dir` where they are not there (config_dir "": from beside a file
// of weights or an archive). Throws as choose_model_files and ArchiveReader do.
ModelSource open_model_source(const std::string& model, const std::string& config_dir);

}  // namespace lambert
