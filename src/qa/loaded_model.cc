#include "qa/loaded_model.h"

#include <chrono>
#include <future>
#include <utility>

#include "base/error.h"
#include "checkpoint/safetensors.h"
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

void load_weights(const ModelFiles& files, const Kernels& kernels, ThreadPool& pool,
                  LoadedModel& model) {
  WeightsLoader loader(model.config, model.weights, kernels, pool);
  for (const MappedFile& file : files.weights) {
    read_safetensors(file.bytes(), file.path(), [&](const Tensor& tensor) {
      if (!loader.accept(tensor)) file.release(tensor.data);  // packed: the copy is what counts
    });
  }
  loader.finish(files.path);
  model.parameters = loader.parameters();
  model.ignored = loader.ignored();
}

// A template that marks the context with a type the model has no embedding for cannot be run.
void check_template(const LoadedModel& model, const std::string& path) {
  if (model.config.type_vocab_size == 0) return;
  for (const TemplatePiece& piece : model.tokenizer->pair_template()) {
    if (piece.type_id < 0 ||
        static_cast<std::size_t>(piece.type_id) >= model.config.type_vocab_size) {
      fail(ErrorCode::kInvalidModel, path, ": the tokenizer's pair template uses token type ",
           piece.type_id, ", but config.json's type_vocab_size is ", model.config.type_vocab_size);
    }
  }
}

}  // namespace

LoadedModel load_model(const std::string& path, const Kernels& kernels, ThreadPool& pool) {
  const auto begin = std::chrono::steady_clock::now();
  ModelFiles files = open_model_files(path);
  LoadedModel model;
  model.config = parse_config(files.config_json, path + "/config.json");
  // The tokenizer is parsed beside the weights where there is more than one thread.
  auto tokenizer = std::async(pool.threads() > 1 ? std::launch::async : std::launch::deferred,
                              [&] { return load_tokenizer(files); });
  load_weights(files, kernels, pool, model);
  model.tokenizer = tokenizer.get();
  check_template(model, path);
  model.files = std::move(files.weights);
  model.load_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  return model;
}

}  // namespace lambert
