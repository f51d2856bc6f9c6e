#include "store/model_files.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/error.h"

namespace lambert {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxTextBytes = std::size_t{64} << 20;

constexpr std::string_view kWanted =
    "a model is config.json, model.safetensors or pytorch_model.bin, and tokenizer.json or "
    "vocab.txt";

// Whether a path that does not exist looks like a repository of the Hub, "owner/name".
bool looks_like_hub_id(std::string_view path) {
  const auto slash = path.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < path.size() &&
         path.find('/', slash + 1) == std::string_view::npos && path.front() != '.' &&
         path.front() != '~';
}

// How weights in a format that we do not read become ones that we do.
struct Conversion {
  std::string_view pattern;  // a file name, or a suffix that begins with '.'
  std::string_view format, advice;
};

constexpr std::string_view kTensorFlowAdvice =
    "convert it once with Python (transformers 4, with TensorFlow): from transformers import "
    "AutoModelForQuestionAnswering as M; M.from_pretrained(DIR, from_tf=True).save_pretrained(DIR)";
constexpr std::string_view kFlaxAdvice =
    "convert it once with Python (transformers 4, with Flax): from transformers import "
    "AutoModelForQuestionAnswering as M; "
    "M.from_pretrained(DIR, from_flax=True).save_pretrained(DIR)";
constexpr std::string_view kOriginalAdvice =
    "get model.safetensors (or pytorch_model.bin, to convert) of the model that it was made from";

constexpr Conversion kConversions[] = {
    {"adapter_model.safetensors", "a PEFT adapter",
     "merge it into its base model with merge_and_unload() and save that"},
    {"tf_model.h5", "TensorFlow", kTensorFlowAdvice},
    {"flax_model.msgpack", "Flax", kFlaxAdvice},
    {".onnx", "ONNX", kOriginalAdvice},
    {"onnx", "a directory of ONNX files", kOriginalAdvice},
    {".gguf", "GGUF", kOriginalAdvice},
    {".ot", "rust-bert", kOriginalAdvice},
    {".tflite", "TensorFlow Lite", kOriginalAdvice},
    {".mlmodel", "Core ML", kOriginalAdvice},
    {".mlpackage", "Core ML", kOriginalAdvice},
    {"openvino_model.xml", "OpenVINO", kOriginalAdvice},
    {".ckpt.index", "TensorFlow 1", kTensorFlowAdvice},
    {".h5", "Keras / TensorFlow", kTensorFlowAdvice},
    {".msgpack", "Flax", kFlaxAdvice},
};

// What the Trainer of transformers leaves beside the weights.
bool is_training_state(std::string_view name) {
  return name == "training_args.bin" || name == "optimizer.pt" || name == "optimizer.bin" ||
         name == "scheduler.pt" || name == "scheduler.bin" || name == "scaler.pt" ||
         name.starts_with("rng_state");
}

bool matches(std::string_view name, std::string_view pattern) {
  return pattern.front() == '.' ? name.ends_with(pattern) : name == pattern;
}

[[noreturn]] void fail_without_weights(const FileSet& files) {
  for (const Conversion& conversion : kConversions) {
    for (const std::string& name : files.names()) {
      if (is_training_state(name) || !matches(name, conversion.pattern)) continue;
      fail(ErrorCode::kUnsupportedModel, quote(files.where(), 400), ": found ", quote(name), " (",
           conversion.format, "), which is not supported, but no model.safetensors; ",
           conversion.advice);
    }
  }
  fail(ErrorCode::kNotFound, quote(files.where(), 400),
       ": has neither model.safetensors nor pytorch_model.bin nor an index of either; ",
       listing(files), "; ", kWanted);
}

[[noreturn]] void fail_without_tokenizer(const FileSet& files) {
  for (const std::string_view other :
       {"spiece.model", "sentencepiece.bpe.model", "spm.model", "vocab.json", "merges.txt"}) {
    if (!files.contains(other)) continue;
    fail(
        ErrorCode::kUnsupportedModel, quote(files.where(), 400), ": found the tokenizer file ",
        quote(other), ", which is not supported, but no tokenizer.json; write one with Python: ",
        "from transformers import AutoTokenizer as T; T.from_pretrained(DIR).save_pretrained(DIR)");
  }
  fail(ErrorCode::kNotFound, quote(files.where(), 400),
       ": has neither tokenizer.json nor vocab.txt; ", listing(files), "; ", kWanted);
}

// A clone without git-lfs leaves small text files in place of the large ones.
void refuse_lfs_pointer(const std::string& path, std::string_view content) {
  if (content.starts_with("version https://git-lfs.github.com/")) {
    fail(ErrorCode::kInvalidModel, quote(path, 400),
         ": is a Git LFS pointer, not the file itself; run `git lfs pull` in its repository");
  }
}

std::optional<std::string> read_text(FileSet& files, std::string_view name) {
  if (!files.contains(name)) return std::nullopt;
  const std::string path = files.path(name);
  const MappedFile file = files.open(name).file;
  if (file.bytes().size() > kMaxTextBytes) {
    fail(ErrorCode::kLimitExceeded, path, ": has ", file.bytes().size(), " bytes, at most ",
         kMaxTextBytes, " are accepted");
  }
  refuse_lfs_pointer(path, file.text());
  return std::string(file.text());
}

NamedFile open_weights_file(FileSet& files, std::string_view name) {
  NamedFile weights = files.open(name);
  refuse_lfs_pointer(weights.file.path(), weights.file.text());
  return weights;
}

bool is_pytorch(std::string_view name) {
  return (name.ends_with(".bin") || name.ends_with(".pt") || name.ends_with(".pth")) &&
         !is_training_state(name);
}

// The one file that can be the weights where none has a name that says so; "" where there is none.
std::string only_weights(const FileSet& files) {
  std::vector<std::string> safetensors, pytorch;
  for (const std::string& name : files.names()) {
    if (name.ends_with(".safetensors") && name != "adapter_model.safetensors") {
      safetensors.push_back(name);
    } else if (is_pytorch(name) && name != "adapter_model.bin") {
      pytorch.push_back(name);
    }
  }
  const std::vector<std::string>& found = safetensors.empty() ? pytorch : safetensors;
  if (found.size() > 1) {
    fail(ErrorCode::kInvalidModel, quote(files.where(), 400), ": ", quote(found[0]), " and ",
         quote(found[1]), " could each be the weights; name the right one ",
         safetensors.empty() ? "pytorch_model.bin" : "model.safetensors");
  }
  return found.empty() ? "" : found.front();
}

void open_weights(FileSet& files, const ShardsOfIndex& shards_of_index, ModelFiles& model) {
  for (const std::string_view name : {"model.safetensors", "pytorch_model.bin"}) {
    if (!files.contains(name)) continue;
    model.weights.push_back(open_weights_file(files, name));
    return;
  }
  for (const std::string_view name :
       {"model.safetensors.index.json", "pytorch_model.bin.index.json"}) {
    std::optional<std::string> index = read_text(files, name);
    if (!index) continue;
    model.index_name = name;
    model.index_json = std::move(*index);
    for (const std::string& shard : shards_of_index(model.index_json, files.path(name))) {
      if (!files.contains(shard)) {
        fail(ErrorCode::kNotFound, files.path(name), ": names the shard ", quote(shard),
             ", which is not there; ", listing(files));
      }
      model.weights.push_back(open_weights_file(files, shard));
    }
    return;
  }
  const std::string name = only_weights(files);
  if (name.empty()) fail_without_weights(files);
  model.weights.push_back(open_weights_file(files, name));
}

bool has_tokenizer(const FileSet& files) {
  return files.contains("tokenizer.json") || files.contains("vocab.txt");
}

}  // namespace

std::vector<ModelFiles::Content> ModelFiles::texts() const {
  std::vector<Content> all{{"config.json", config_json}};
  const std::pair<const char*, const std::optional<std::string>*> texts[] = {
      {"tokenizer.json", &tokenizer_json},
      {"vocab.txt", &vocab_txt},
      {"tokenizer_config.json", &tokenizer_config_json},
      {"special_tokens_map.json", &special_tokens_map_json},
      {"added_tokens.json", &added_tokens_json}};
  for (const auto& [name, text] : texts) {
    if (*text) all.push_back({name, **text});
  }
  if (!index_name.empty()) all.push_back({index_name, index_json});
  return all;
}

std::vector<ModelFiles::Content> ModelFiles::contents() const {
  std::vector<Content> all = texts();
  for (const NamedFile& file : weights) all.push_back({file.name, file.file.text()});
  return all;
}

bool is_model_directory(const std::string& path) {
  if (path.empty()) fail(ErrorCode::kNotFound, "the model path is empty; ", kWanted);
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::directory) return true;
  if (status.type() == fs::file_type::not_found) {
    fail(ErrorCode::kNotFound, quote(path, 400), ": no such file or directory",
         looks_like_hub_id(path) ? "; for a model of the Hugging Face Hub pass hf://" + path : "",
         "; ", kWanted);
  }
  if (status.type() == fs::file_type::none) {
    fail(ErrorCode::kIo, quote(path, 400), ": ", error.message());
  }
  return false;
}

ModelFiles choose_model_files(FileSet files, std::optional<FileSet> beside,
                              const ShardsOfIndex& shards_of_index) {
  if (files.names().empty()) {
    fail(ErrorCode::kNotFound, quote(files.where(), 400), ": there are no files; ", kWanted);
  }
  FileSet& config = beside && !files.contains("config.json") ? *beside : files;
  FileSet& tokenizer = beside && !has_tokenizer(files) ? *beside : files;
  ModelFiles model;
  model.path = files.where();
  model.config_path = config.path("config.json");
  std::optional<std::string> config_json = read_text(config, "config.json");
  if (!config_json) {
    fail(ErrorCode::kNotFound, quote(files.where(), 400), ": has no config.json",
         beside ? ", nor has " + quote(beside->where(), 400) : "", "; ", listing(files), "; ",
         kWanted);
  }
  model.config_json = std::move(*config_json);
  open_weights(files, shards_of_index, model);
  if (!has_tokenizer(tokenizer)) fail_without_tokenizer(tokenizer);
  model.tokenizer_json = read_text(tokenizer, "tokenizer.json");
  model.vocab_txt = read_text(tokenizer, "vocab.txt");
  model.tokenizer_config_json = read_text(tokenizer, "tokenizer_config.json");
  model.special_tokens_map_json = read_text(tokenizer, "special_tokens_map.json");
  model.added_tokens_json = read_text(tokenizer, "added_tokens.json");
  return model;
}

}  // namespace lambert
