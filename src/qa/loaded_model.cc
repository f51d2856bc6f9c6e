#include "qa/loaded_model.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "base/cgroup.h"
#include "base/error.h"
#include "checkpoint/weights_file.h"
#include "qa/memory_plan.h"
#include "qa/model_source.h"

namespace lambert {

namespace {

std::unique_ptr<const Tokenizer> load_tokenizer(const ModelFiles& files) {
  return Tokenizer::create({.tokenizer_json = files.tokenizer_json,
                            .vocab_txt = files.vocab_txt,
                            .tokenizer_config_json = files.tokenizer_config_json,
                            .special_tokens_map_json = files.special_tokens_map_json,
                            .added_tokens_json = files.added_tokens_json});
}

void load_weights(ModelSource& opened, Precision precision, const Kernels& kernels,
                  ThreadPool& pool, LoadedModel& model) {
  WeightsLoader loader(model.config, precision, model.weights, kernels, pool);
  for (const auto& [name, file] : opened.files.weights) {
    if (opened.index) loader.begin_file(name);
    read_weights_file(
        file.bytes(), file.path(), [&, &name = name, &file = file](const Tensor& tensor) {
          if (opened.index) opened.index->read(tensor.name, name);
          const bool in_use = loader.accept(tensor) || tensor.shared || tensor.owner != nullptr;
          if (!in_use) file.release(tensor.data);  // packed: the copy is what counts
        });
  }
  if (opened.index) opened.index->check_complete();
  loader.finish(opened.files.path);
  model.parameters = loader.parameters();
}

}  // namespace

Precision parse_precision(const std::string& name) {
  if (name == "fp32" || name == "auto") return Precision::kFp32;
  if (name == "int8") return Precision::kInt8;
  fail(ErrorCode::kInvalidArgument, "precision ", quote(name), ": expected auto, fp32 or int8");
}

LoadedModel load_model(const Options& options, const Kernels& kernels, ThreadPool& pool) {
  const auto begin = std::chrono::steady_clock::now();
  const Precision precision = parse_precision(options.precision);
  ModelSource opened = open_model_source(options);
  LoadedModel model;
  model.config = parse_config(opened.files.config_json, opened.files.config_path);
  model.max_window = std::min(model.config.max_positions, kMaxWindow);
  check_memory(model.config, precision, model.max_window, pool.threads(), memory_limit(),
               opened.files.config_path);
  // The tokenizer is parsed beside the weights where there is more than one thread.
  auto tokenizer = std::async(pool.threads() > 1 ? std::launch::async : std::launch::deferred,
                              [&] { return load_tokenizer(opened.files); });
  load_weights(opened, precision, kernels, pool, model);
  model.tokenizer = tokenizer.get();
  model.files = std::move(opened.files.weights);
  model.load_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  return model;
}

}  // namespace lambert
