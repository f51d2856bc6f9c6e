// lambert inspect: what a model holds, and whether this version can run it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "base/error.h"
#include "checkpoint/bundle.h"
#include "checkpoint/weights_file.h"
#include "commands.h"
#include "model/config.h"
#include "model_options.h"
#include "net/digest.h"
#include "output.h"
#include "qa/memory_plan.h"
#include "qa/model_source.h"
#include "qa/packed_model.h"
#include "wire/json_writer.h"

namespace lambert {

namespace {

constexpr const char* kInspectFooter = R"(Examples:
  lambert inspect
  lambert inspect DIR --json
  lambert inspect squad.lambert --verify              reads all of a packed model
  lambert inspect squad.lambert --memory --threads 2  predicts what a process takes)";

// Names with values that are JSON text.
using Facts = std::vector<std::pair<std::string, std::string>>;

struct DTypeCount {
  std::size_t tensors = 0, bytes = 0;
};

std::string json_text(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

void add_config(const EncoderConfig& config, Facts& facts) {
  facts.emplace_back("model_type", json_text(family_name(config.family)));
  const std::pair<const char*, std::size_t> sizes[] = {
      {"layers", config.num_layers},
      {"hidden_size", config.hidden_size},
      {"heads", config.num_heads},
      {"intermediate_size", config.intermediate_size},
      {"vocab_size", config.vocab_size},
      {"max_positions", config.max_positions},
      {"type_vocab_size", config.type_vocab_size}};
  for (const auto& [name, size] : sizes) facts.emplace_back(name, std::to_string(size));
}

// Bytes of the word embeddings as they are stored: in fp32 they are read where they lie.
std::size_t add_tensors(ModelSource& opened, Facts& facts) {
  std::map<std::string_view, DTypeCount> counts;
  std::size_t tensors = 0, word_bytes = 0;
  for (const auto& [name, file] : opened.files.weights) {
    read_weights_file(file.bytes(), file.path(), [&, &name = name](const Tensor& tensor) {
      if (opened.index) opened.index->read(tensor.name, name);
      ++tensors;
      if (tensor.name.ends_with("word_embeddings.weight")) word_bytes = tensor.data.size();
      ++counts[dtype_name(tensor.dtype)].tensors;
      counts[dtype_name(tensor.dtype)].bytes += tensor.data.size();
    });
  }
  facts.emplace_back("weight_files", std::to_string(opened.files.weights.size()));
  facts.emplace_back("tensors", std::to_string(tensors));
  for (const auto& [dtype, count] : counts) {
    facts.emplace_back("tensors_" + std::string(dtype), std::to_string(count.tensors));
    facts.emplace_back("bytes_" + std::string(dtype), std::to_string(count.bytes));
  }
  return word_bytes;
}

// Tables and what reading them leaves on the heap, measured of tokenizer.json.
std::size_t tokenizer_bytes(const ModelFiles& files) {
  constexpr std::size_t kTimesText = 6;
  return kTimesText * (files.tokenizer_json ? *files.tokenizer_json : *files.vocab_txt).size();
}

std::string kind_text(std::uint32_t kind) {  // "qkvw"
  return section_name(kind, 0).substr(8, 4);
}

// What a packed model says of itself, and the bytes of each kind of section.
EncoderConfig add_packed(const MappedFile& file, Facts& facts) {
  const Bundle bundle(file.bytes(), file.path());
  const PackedInfo info = packed_info(file);
  facts.emplace_back("source", json_text(info.source));
  facts.emplace_back("packed_by", json_text("lambert " + info.engine));
  facts.emplace_back("identity", json_text(hex(info.identity)));
  facts.emplace_back("format", std::to_string(bundle.format()));
  facts.emplace_back("file_bytes", std::to_string(file.bytes().size()));
  facts.emplace_back("sections", std::to_string(bundle.sections().size()));
  std::map<std::string, std::size_t> bytes;
  for (const Bundle::Section& section : bundle.sections()) {
    bytes[kind_text(section.kind)] += section.bytes.size();
  }
  for (const auto& [kind, size] : bytes) {
    facts.emplace_back("bytes_" + kind, std::to_string(size));
  }
  return info.config;
}

// What is read of a model, as far as it was opened.
struct Inspected {
  std::optional<EncoderConfig> config;
  std::size_t packed_file = 0;           // bytes; 0: not packed
  std::size_t words = 0, tokenizer = 0;  // bytes, of a model that is not packed
};

std::size_t model_bytes(const Inspected& model, Precision precision) {
  if (model.packed_file > 0) return model.packed_file;
  const std::size_t words = precision == Precision::kFp32 ? model.words : 0;
  return packed_bytes(*model.config, precision) + words + model.tokenizer;
}

// Opening is what shows what is not supported: it checks every tensor by name and shape.
int inspect_opened(const Options& options, const Inspected& model, bool memory, Facts& facts) {
  try {
    const ModelInfo info = open_model(options).info();
    facts.emplace_back("parameters", std::to_string(info.parameters));
    facts.emplace_back("max_window", std::to_string(info.max_seq_len));
    facts.emplace_back("precision", json_text(info.precision));
    facts.emplace_back("runs", "true");
    if (!model.config) return kExitOk;  // the files changed in between
    const EncoderConfig& config = *model.config;
    const Precision precision = parse_precision(info.precision).value();
    std::vector<std::pair<const char*, std::size_t>> sizes{
        {"memory_packed_weights_bytes", packed_bytes(config, precision)},
        {"memory_workspace_bytes",
         activation_bytes(config, precision, info.max_seq_len, info.threads)}};
    if (memory) {
      const std::size_t read = model_bytes(model, precision);
      sizes.emplace_back("memory_threads", info.threads);
      sizes.emplace_back("memory_model_bytes", read);
      sizes.emplace_back("memory_peak_bytes",
                         peak_memory(config, precision, read, info.max_seq_len, info.threads));
    }
    for (const auto& [name, size] : sizes) facts.emplace_back(name, std::to_string(size));
    return kExitOk;
  } catch (const Error& error) {
    facts.emplace_back("runs", "false");
    facts.emplace_back("reason", json_text(error.what()));
    print_error(error.what());
    return exit_code(error);
  }
}

std::string as_json(const Facts& facts) {
  std::string json = "{";
  for (const auto& [name, value] : facts) {
    json += json.size() == 1 ? "" : ",";
    json += json_text(name) + ':' + value;
  }
  return json + "}\n";
}

std::string as_text(const Facts& facts) {
  std::string text;
  for (const auto& [name, value] : facts) {
    std::string label = name;
    label.resize(std::max<std::size_t>(label.size(), 34), ' ');
    text += label + ' ' + for_terminal(value) + '\n';
  }
  return text;
}

// Throws ModelError for what is damaged.
const char* verified(const Options& options) {
  ModelSource opened = open_model_source(options);
  if (!opened.bundle) {
    fail(ErrorCode::kInvalidArgument, "--verify: ", options.model,
         " is not a packed model; opening reads and checks all of it");
  }
  try {
    verify_packed_model(std::move(*opened.bundle));
  } catch (const Error& error) {
    throw ModelError(error.code(), error.what());
  }
  return "true";
}

int inspect(Options options, bool verify, bool memory, bool json) {
  options.model = model_path(options);
  Facts facts{{"path", json_text(options.model)}};
  Inspected model;
  try {
    ModelSource opened = open_model_source(options);
    if (opened.bundle) {
      model.packed_file = opened.bundle->bytes().size();
      model.config = add_packed(*opened.bundle, facts);
    } else {
      model.words = add_tensors(opened, facts);
      model.tokenizer = tokenizer_bytes(opened.files);
      model.config = parse_config(opened.files.config_json, opened.files.config_path);
    }
    add_config(*model.config, facts);
  } catch (const Error& error) {  // also what opening fails with, and reported there
  }
  if (verify) facts.emplace_back("verified", verified(options));
  const int code = inspect_opened(options, model, memory, facts);
  print(json ? as_json(facts) : as_text(facts));
  return code;
}

}  // namespace

void add_inspect(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<Options>();
  auto given = std::make_shared<std::string>();  // LAMBERT_MODEL must not replace it
  auto verify = std::make_shared<bool>(false), memory = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("inspect", "Shows what a model holds");
  command->footer(kInspectFooter);
  auto* directory = command->add_option("model", *given, "the same as --model")->type_name("MODEL");
  command->add_flag("--verify", *verify, "read all of a packed model and compare its checksums");
  command->add_flag("--memory", *memory, "predict the memory of a process with full batches");
  command->add_flag("--json", invocation.json, "as JSON");
  add_model_options(*command, *options);
  command->callback([=, &invocation] {
    if (directory->count() > 0) options->model = *given;
    invocation.run = [=, &invocation] {
      return inspect(*options, *verify, *memory, invocation.json);
    };
  });
}

}  // namespace lambert
