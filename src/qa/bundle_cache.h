// Packed models that are kept where the user said, so that a model is packed once.
#pragma once

#include <optional>
#include <string>

#include "model/weights.h"
#include "store/model_files.h"

namespace lambert {

// Where in `directory` the packed form of these files is, or belongs; empty where the weights are
// no files of their own (in an archive, downloaded). By the contents of the small files, by path,
// size and time of change of the weights, by precision and by the version of the program.
std::optional<std::string> bundle_cache_path(const std::string& directory, const ModelFiles& files,
                                             Precision precision);

}  // namespace lambert
