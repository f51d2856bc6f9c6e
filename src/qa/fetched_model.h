// A model's files from another machine, in memory.
#pragma once

#include <cstdint>

#include "checkpoint/archive_reader.h"
#include "store/file_set.h"
#include "store/remote.h"

namespace lambert {

// Whether a file of that name can be of use to a model.
bool is_model_file(std::string_view name);

// Reads an archive as it arrives, else a file of weights, or all of a model's files below a prefix.
// At most `max_bytes` are kept. Throws what they are read with throws.
FileSet fetch_model(const Uri& uri, const RemoteSettings& settings, std::uint64_t max_bytes);

// The files of an archive that was read.
FileSet archived_files(std::string where, std::vector<ArchivedFile> archived);

}  // namespace lambert
