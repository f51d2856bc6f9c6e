#include "qa/loaded_model.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <optional>
#include <utility>

#include "base/cgroup.h"
#include "base/error.h"
#include "checkpoint/safetensors.h"
#include "qa/memory_plan.h"
#include "store/model_files.h"

namespace lambert {

namespace {

std::unique_ptr<const Tokenizer> load_tokenizer(const ModelFiles& files) {
  return Tokenizer::create({.tokenizer_json = files.tokenizer_json,
                            .vocab_txt = files.vocab_txt,
                            .tokenizer_config_json = files.tokenizer_config_json,
                            .special_tokens_map_json = files.special_tokens_map_json,
                            .added_tokens_json = files.added_tokens_json});
}

// `index` is there for a model in shards.
void load_weights(const ModelFiles& files, std::optional<SafetensorsIndex>& index,
                  const Kernels& kernels, ThreadPool& pool, LoadedModel& model) {
  WeightsLoader loader(model.config, model.weights, kernels, pool);
  for (const MappedFile& file : files.weights) {
    const std::string name = std::filesystem::path(file.path()).filename();
    if (index) loader.begin_file(name);
    read_safetensors(file.bytes(), file.path(), [&](const Tensor& tensor) {
      if (index) index->read(tensor.name, name);
      const bool in_use = loader.accept(tensor) || tensor.shared || tensor.owner != nullptr;
      if (!in_use) file.release(tensor.data);  // packed: the copy is what counts
    });
  }
  if (index) index->check_complete();
  loader.finish(files.path);
  model.parameters = loader.parameters();
}

}  // namespace

LoadedModel load_model(const std::string& path, const Kernels& kernels, ThreadPool& pool) {
  const auto begin = std::chrono::steady_clock::now();
  std::optional<SafetensorsIndex> index;
  ModelFiles files = open_model_files(path, [&](std::string_view json, std::string_view source) {
    return index.emplace(json, source).shards();
  });
  LoadedModel model;
  model.config = parse_config(files.config_json, path + "/config.json");
  model.max_window = std::min(model.config.max_positions, kMaxWindow);
  check_memory(model.config, model.max_window, pool.threads(), memory_limit(),
               path + "/config.json");
  // The tokenizer is parsed beside the weights where there is more than one thread.
  auto tokenizer = std::async(pool.threads() > 1 ? std::launch::async : std::launch::deferred,
                              [&] { return load_tokenizer(files); });
  load_weights(files, index, kernels, pool, model);
  model.tokenizer = tokenizer.get();
  model.files = std::move(files.weights);
  model.load_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  return model;
}

}  // namespace lambert
