// Any bytes as a packed model, with the checksum that their header should have: either refused, or
// its tokenizer, its weights and its verification touch nothing outside of them.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "checkpoint/bundle.h"
#include "model/encoder.h"
#include "qa/packed_model.h"

namespace {

constexpr std::string_view kText = "Ada wrote a B tok [SEP] caf\xC3\xA9 \xE4\xB8\xAD 1843.";
constexpr std::size_t kMostTokens = 24, kMostLayers = 4, kMostNumbers = 1 << 16;

// The bytes where a file would be mapped.
lambert::MappedFile mapped(std::span<const std::byte> bytes) {
  lambert::MappedFile file = lambert::MappedFile::in_memory("fuzz", bytes.size());
  std::memcpy(file.writable().data(), bytes.data(), bytes.size());
  std::uint32_t header = 0;
  std::memcpy(&header, bytes.data() + 16, sizeof header);
  if (header >= lambert::kBundleHeaderBytes && header <= bytes.size()) {
    const std::uint32_t checksum = lambert::bundle_header_checksum(file.bytes().first(header));
    std::memcpy(file.writable().data() + lambert::kBundleChecksumAt, &checksum, sizeof checksum);
  }
  return file;
}

void compute(const lambert::LoadedModel& model) {
  const lambert::EncoderConfig& config = model.config;
  if (config.num_layers > kMostLayers) return;
  if (lambert::packed_bytes(config, model.weights.precision) > kMostNumbers * 16) return;
  std::vector<std::int32_t> ids, types;
  for (const std::int32_t id : model.tokenizer->encode(kText).ids) {
    static_cast<void>(model.tokenizer->token(id));
    const bool known = id >= 0 && static_cast<std::size_t>(id) < config.vocab_size;
    if (known && ids.size() < std::min(kMostTokens, model.max_window)) ids.push_back(id);
  }
  if (ids.empty()) ids.push_back(0);
  types.assign(ids.size(), 0);
  const auto tokens = static_cast<std::uint32_t>(ids.size());
  const std::uint32_t window[] = {0, tokens}, rows[] = {tokens - 1}, reads[] = {0, 1};
  static lambert::ThreadPool pool(1);
  lambert::Workspace workspace(config, model.weights.precision, tokens, tokens, 1);
  float logits[2];
  lambert::forward(config, model.weights, {ids, types, window, rows, reads}, workspace,
                   *lambert::find_kernels("scalar"), pool, logits);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < lambert::kBundleHeaderBytes) return 0;
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    compute(lambert::open_packed_model(mapped(bytes)));
  } catch (const lambert::Error&) {
  }
  try {
    lambert::verify_packed_model(mapped(bytes));
  } catch (const lambert::Error&) {
  }
  return 0;
}
