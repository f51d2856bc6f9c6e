// From the name of a model to its files, wherever they are.
#pragma once

#include <optional>

#include "checkpoint/shard_index.h"
#include "lambert/lambert.h"
#include "store/model_files.h"

namespace lambert {

// The files of a model, and the index of its shards where it is in shards; or one that was packed.
struct ModelSource {
  std::optional<MappedFile> bundle;  // then there is nothing else
  ModelFiles files;
  std::optional<ShardIndex> index;
};

// Opens what options.model names (docs/models.md); of several files model.lambert goes first.
// Configuration and tokenizer come from
// options.config_dir where they are not there (config_dir "": from beside a file of weights or an
// archive). Throws as choose_model_files, ArchiveReader and what fetches from elsewhere do.
ModelSource open_model_source(const Options& options);

}  // namespace lambert
