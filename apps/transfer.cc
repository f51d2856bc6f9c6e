#include "transfer.h"

#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "eval/output_file.h"
#include "output.h"
#include "progress.h"

namespace lambert {

std::size_t write_output(const std::string& output, bool force, std::uint64_t total,
                         const std::function<void(const ByteSink&)>& write) {
  std::error_code ignored;
  if (!force && std::filesystem::is_regular_file(output, ignored)) {
    fail(ErrorCode::kInvalidArgument, output, ": is already there; pass --force to replace it");
  }
  if (output == "-" && output_is_terminal()) {
    fail(ErrorCode::kInvalidArgument,
         "--output -: standard output is a terminal; pipe it somewhere");
  }
  OutputFile file(output, Partial::kTemporary);
  Progress progress(true);
  std::size_t bytes = 0;
  write([&](std::span<const std::byte> piece) {
    bytes += piece.size();
    file.append_bytes(piece);
    progress.show_bytes(bytes, total);
  });
  file.finish();
  return bytes;
}

std::string size_text(std::size_t bytes) {
  if (bytes < 10'000) return std::to_string(bytes) + " bytes";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

}  // namespace lambert
