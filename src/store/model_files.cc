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
constexpr std::size_t kMaxListed = 12;  // file names in a message

constexpr std::string_view kWeights = "model.safetensors";
constexpr std::string_view kIndex = "model.safetensors.index.json";

constexpr std::string_view kWanted =
    "a model directory holds config.json, model.safetensors and tokenizer.json or vocab.txt";

using Names = std::vector<std::string>;  // of a directory, sorted

bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string join(const std::string& directory, std::string_view name) {
  return (fs::path(directory) / name).string();
}

// "found: a, b, c", for the end of a message.
std::string listing(const Names& names) {
  if (names.empty()) return "the directory is empty";
  std::string text = "found: ";
  for (std::size_t i = 0; i < names.size() && i < kMaxListed; ++i) {
    if (i > 0) text += ", ";
    text += quote(names[i]);
  }
  if (names.size() > kMaxListed) {
    text += " and " + std::to_string(names.size() - kMaxListed) + " more";
  }
  return text;
}

// Whether a path that does not exist looks like a repository of the Hub, "owner/name".
bool looks_like_hub_id(std::string_view path) {
  const auto slash = path.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < path.size() &&
         path.find('/', slash + 1) == std::string_view::npos && path.front() != '.' &&
         path.front() != '~';
}

void check_is_directory(const std::string& path) {
  if (path.empty()) fail(ErrorCode::kNotFound, "the model path is empty; ", kWanted);
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::directory) return;
  if (status.type() == fs::file_type::not_found) {
    fail(ErrorCode::kNotFound, quote(path, 400), ": no such directory",
         looks_like_hub_id(path) ? "; for a model of the Hugging Face Hub run `hf download " +
                                       path + " --local-dir DIR` and pass DIR"
                                 : "",
         "; ", kWanted);
  }
  if (status.type() == fs::file_type::none) {
    fail(ErrorCode::kIo, quote(path, 400), ": ", error.message());
  }
  fail(ErrorCode::kNotFound, quote(path, 400),
       ": is not a directory; pass the directory that holds the model's files; ", kWanted);
}

Names list_directory(const std::string& path) {
  Names names;
  std::error_code error;
  fs::directory_iterator it(path, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    std::string name = it->path().filename().string();
    if (!name.starts_with("._")) names.push_back(std::move(name));  // macOS puts them into archives
  }
  if (error) fail(ErrorCode::kIo, quote(path, 400), ": ", error.message());
  std::sort(names.begin(), names.end());
  return names;
}

// How weights in a format that we do not read become ones that we do.
struct Conversion {
  std::string_view pattern;  // a file name, or a suffix that begins with '.'
  std::string_view format, advice;
};

constexpr std::string_view kPythonAdvice =
    "convert it once with Python: from transformers import AutoModelForQuestionAnswering as M; "
    "M.from_pretrained(DIR).save_pretrained(DIR)";
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
    {"pytorch_model.bin", "PyTorch", kPythonAdvice},
    {"pytorch_model.bin.index.json", "sharded PyTorch", kPythonAdvice},
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
    {".bin", "PyTorch (or an unknown format)", kPythonAdvice},
    {".pt", "PyTorch", kPythonAdvice},
    {".pth", "PyTorch", kPythonAdvice},
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

[[noreturn]] void fail_without_weights(const std::string& path, const Names& names) {
  for (const Conversion& conversion : kConversions) {
    for (const std::string& name : names) {
      if (is_training_state(name) || !matches(name, conversion.pattern)) continue;
      fail(ErrorCode::kUnsupportedModel, quote(path, 400), ": found ", quote(name), " (",
           conversion.format, "), which is not supported, but no ", kWeights, "; ",
           conversion.advice);
    }
  }
  for (const std::string& name : names) {
    if (!name.ends_with(".safetensors")) continue;
    fail(ErrorCode::kNotFound, quote(path, 400), ": has neither ", kWeights, " nor ", kIndex,
         "; rename ", quote(name), " to ", kWeights, " if it holds all weights; ", listing(names));
  }
  fail(ErrorCode::kNotFound, quote(path, 400), ": has neither ", kWeights, " nor ", kIndex, "; ",
       listing(names), "; ", kWanted);
}

[[noreturn]] void fail_without_tokenizer(const std::string& path, const Names& names) {
  for (const std::string_view other :
       {"spiece.model", "sentencepiece.bpe.model", "spm.model", "vocab.json", "merges.txt"}) {
    if (!contains(names, other)) continue;
    fail(
        ErrorCode::kUnsupportedModel, quote(path, 400), ": found the tokenizer file ", quote(other),
        ", which is not supported, but no tokenizer.json; write one with Python: ",
        "from transformers import AutoTokenizer as T; T.from_pretrained(DIR).save_pretrained(DIR)");
  }
  fail(ErrorCode::kNotFound, quote(path, 400), ": has neither tokenizer.json nor vocab.txt; ",
       listing(names), "; ", kWanted);
}

// A clone without git-lfs leaves small text files in place of the large ones.
void refuse_lfs_pointer(const std::string& path, std::string_view content) {
  if (content.starts_with("version https://git-lfs.github.com/")) {
    fail(ErrorCode::kInvalidModel, quote(path, 400),
         ": is a Git LFS pointer, not the file itself; run `git lfs pull` in its repository");
  }
}

std::optional<std::string> read_text(const std::string& directory, std::string_view name,
                                     const Names& names) {
  if (!contains(names, name)) return std::nullopt;
  const std::string path = join(directory, name);
  std::string content = read_file(path, kMaxTextBytes);
  refuse_lfs_pointer(path, content);
  return content;
}

// Another format under the name model.safetensors, recognised by its first bytes.
struct Magic {
  std::string_view bytes;
  std::size_t at;
  std::string_view format, advice;
};

using namespace std::string_view_literals;

constexpr std::string_view kArchiveAdvice =
    "unpack it, and pass the directory with model.safetensors";
constexpr Magic kMagics[] = {
    {"PK\x03\x04"sv, 0, "a zip archive, as torch.save writes", kPythonAdvice},
    {"\x80\x02"sv, 0, "a Python pickle, as torch.save writes", kPythonAdvice},
    {"\x80\x03"sv, 0, "a Python pickle, as torch.save writes", kPythonAdvice},
    {"\x80\x04"sv, 0, "a Python pickle, as torch.save writes", kPythonAdvice},
    {"\x1F\x8B"sv, 0, "gzip", kArchiveAdvice},
    {"ustar"sv, 257, "a tar archive", kArchiveAdvice},
    {"\x89HDF"sv, 0, "HDF5, as TensorFlow writes", kTensorFlowAdvice},
    {"GGUF"sv, 0, "GGUF", kOriginalAdvice},
};

void refuse_other_format(const std::string& path, std::string_view content) {
  constexpr std::size_t kHeader = 8;  // after its length a header begins with '{'
  if (content.size() > kHeader && content[kHeader] == '{') return;
  for (const Magic& magic : kMagics) {
    if (content.size() < magic.at || !content.substr(magic.at).starts_with(magic.bytes)) continue;
    fail(ErrorCode::kUnsupportedModel, quote(path, 400), ": is not safetensors but ", magic.format,
         "; ", magic.advice);
  }
}

MappedFile map_weights(const std::string& path) {
  MappedFile file(path);
  refuse_lfs_pointer(path, file.text());
  refuse_other_format(path, file.text());
  return file;
}

std::vector<MappedFile> open_weights(const std::string& path, const Names& names,
                                     const ShardsOfIndex& shards_of_index) {
  std::vector<MappedFile> weights;
  if (contains(names, kWeights)) {
    weights.push_back(map_weights(join(path, kWeights)));
    return weights;
  }
  const std::optional<std::string> index = read_text(path, kIndex, names);
  if (!index) fail_without_weights(path, names);
  const std::string index_path = join(path, kIndex);
  for (const std::string& shard : shards_of_index(*index, index_path)) {
    if (!contains(names, shard)) {
      fail(ErrorCode::kNotFound, index_path, ": names the shard ", quote(shard),
           ", which is not there; ", listing(names));
    }
    weights.push_back(map_weights(join(path, shard)));
  }
  return weights;
}

}  // namespace

ModelFiles open_model_files(const std::string& path, const ShardsOfIndex& shards_of_index) {
  check_is_directory(path);
  const Names names = list_directory(path);
  if (names.empty()) {
    fail(ErrorCode::kNotFound, quote(path, 400), ": the directory is empty; ", kWanted);
  }
  ModelFiles files;
  files.path = path;
  std::optional<std::string> config = read_text(path, "config.json", names);
  if (!config) {
    fail(ErrorCode::kNotFound, quote(path, 400), ": has no config.json; ", listing(names), "; ",
         kWanted);
  }
  files.config_json = std::move(*config);
  files.weights = open_weights(path, names, shards_of_index);
  files.tokenizer_json = read_text(path, "tokenizer.json", names);
  files.vocab_txt = read_text(path, "vocab.txt", names);
  if (!files.tokenizer_json && !files.vocab_txt) fail_without_tokenizer(path, names);
  files.tokenizer_config_json = read_text(path, "tokenizer_config.json", names);
  files.special_tokens_map_json = read_text(path, "special_tokens_map.json", names);
  files.added_tokens_json = read_text(path, "added_tokens.json", names);
  return files;
}

}  // namespace lambert
