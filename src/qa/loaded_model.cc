#include "qa/loaded_model.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <utility>

#include "base/cgroup.h"
#include "base/error.h"
#include "checkpoint/weights_file.h"
#include "qa/bundle_cache.h"
#include "qa/calibrate.h"
#include "qa/memory_plan.h"
#include "qa/model_source.h"
#include "qa/model_tokens.h"
#include "qa/packed_model.h"

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

std::optional<Precision> parse_precision(const std::string& name) {
  if (name == "auto") return std::nullopt;
  for (const Precision precision : {Precision::kFp32, Precision::kInt8}) {
    if (name == precision_name(precision)) return precision;
  }
  fail(ErrorCode::kInvalidArgument, "precision ", quote(name), ": expected auto, fp32 or int8");
}

const char* precision_name(Precision precision) {
  return precision == Precision::kInt8 ? "int8" : "fp32";
}

namespace {

LoadedModel open_packed(MappedFile file, std::optional<Precision> wanted, unsigned threads) {
  LoadedModel model = open_packed_model(std::move(file));
  const MappedFile& bundle = model.files.front().file;
  const Precision precision = model.weights.precision;
  if (wanted && *wanted != precision) {
    fail(ErrorCode::kInvalidArgument, bundle.path(), ": was packed as ", precision_name(precision),
         ", but precision ", precision_name(*wanted),
         " is asked for; leave that out, or pack the model again in it");
  }
  check_memory(model.config, precision, model.max_window, threads, memory_limit(), bundle.path());
  return model;
}

LoadedModel load_and_pack(ModelSource opened, Precision precision, const Kernels& kernels,
                          ThreadPool& pool) {
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
  return model;
}

// The packed model at `path`; empty if there is none that can be used.
std::optional<LoadedModel> open_cached(const std::string& path, Precision precision,
                                       unsigned threads) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  try {
    return open_packed(MappedFile(path), precision, threads);
  } catch (const Error& error) {
    const bool anew =
        error.code() == ErrorCode::kInvalidModel || error.code() == ErrorCode::kUnsupportedModel;
    if (!anew) throw;
    return std::nullopt;
  }
}

// Keeps the model at `path` and opens it there, where processes share it; itself where another
// process is keeping it just now.
LoadedModel keep(LoadedModel model, const std::string& path, unsigned threads) {
  try {
    write_packed_model(model, path, {});
  } catch (const Error&) {
    std::error_code ignored;
    if (std::filesystem::exists(path + ".partial", ignored)) return model;
    throw;
  }
  return open_packed(MappedFile(path), model.weights.precision, threads);
}

// What a path or URI is called, without the directories of this machine.
std::string display_name(const std::string& model) {
  if (model.find("://") != std::string::npos) return model;
  const std::filesystem::path path = std::filesystem::path(model).lexically_normal();
  return path.has_filename() ? path.filename() : path.parent_path().filename();
}

LoadedModel open_or_load(const Options& options, const Kernels& kernels, ThreadPool& pool) {
  const std::optional<Precision> wanted = parse_precision(options.precision);
  ModelSource opened = open_model_source(options);
  if (opened.bundle && !options.calibration.empty()) {
    fail(ErrorCode::kInvalidArgument, options.model,
         ": is packed already, calibration needs the checkpoint that it was made of");
  }
  if (opened.bundle) return open_packed(std::move(*opened.bundle), wanted, pool.threads());
  const Precision precision = wanted.value_or(Precision::kFp32);
  if (!options.calibration.empty() && precision != Precision::kInt8) {
    fail(ErrorCode::kInvalidArgument, "calibration: is for precision int8, found ",
         precision_name(precision));
  }
  std::optional<std::string> cached;
  if (!options.bundle_cache.empty() && options.calibration.empty()) {
    cached = bundle_cache_path(options.bundle_cache, opened.files, precision);
  }
  if (cached) {
    if (auto model = open_cached(*cached, precision, pool.threads())) return std::move(*model);
  }
  LoadedModel model = load_and_pack(std::move(opened), precision, kernels, pool);
  if (!options.calibration.empty()) {
    const LoadedModel exact =
        load_and_pack(open_model_source(options), Precision::kFp32, kernels, pool);
    check_template(exact, options.model);
    calibrate(exact, options.calibration, kernels, pool, model);
  }
  model.source = display_name(options.model);
  return cached ? keep(std::move(model), *cached, pool.threads()) : std::move(model);
}

}  // namespace

LoadedModel load_model(const Options& options, const Kernels& kernels, ThreadPool& pool) {
  const auto begin = std::chrono::steady_clock::now();
  LoadedModel model = open_or_load(options, kernels, pool);
  model.load_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  return model;
}

}  // namespace lambert
