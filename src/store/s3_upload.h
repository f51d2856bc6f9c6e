// Writing an object to S3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "store/s3_connection.h"

namespace lambert {

// In one piece, above 16 MiB in parts of that size, with a checksum of the whole that S3 checks and
// keeps. An upload in parts that fails is aborted, so that nothing is left to pay for. Throws
// NetworkError and what `progress` throws.
void upload(S3Connection& connection, const std::string& key, std::span<const std::byte> content,
            const DownloadSettings& settings, const Waiting& waiting,
            const std::function<void(std::uint64_t)>& progress);

}  // namespace lambert
