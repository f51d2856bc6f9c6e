#include "model_options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>
#include <variant>

#include "base/error.h"
#include "eval/question_source.h"
#include "net/network_error.h"
#include "output.h"
#include "wire/question_line.h"

namespace lambert {

namespace {

constexpr const char* kDefaultModel = "models/distilbert-minilm-squad";

// A number; CLI11 itself would only say that it could not convert.
CLI::Option* add_number(CLI::App& command, const char* name, const std::function<void(double)>& set,
                        const char* help) {
  auto* option = command.add_option_function<double>(name, set, help);
  option->type_name("X")->check([](const std::string& text) -> std::string {
    double number = 0;
    if (CLI::detail::lexical_cast(text, number)) return {};
    return "must be a number, found " + quote(text);
  });
  return option;
}

// The value `text` of the option `name`. CLI11 itself would take 010 for 8.
std::int64_t whole_number(const std::string& name, const std::string& text, std::int64_t least,
                          std::int64_t most) {
  const auto refuse = [&](const std::string& expected) {
    throw CLI::ValidationError(name, "must be " + expected + ", found " + quote(text));
  };
  const char* end = text.data() + text.size();
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (stop != end || error == std::errc::invalid_argument) refuse("a whole number");
  if (error == std::errc::result_out_of_range) number = text.starts_with('-') ? -kNoMost : kNoMost;
  if (number < least) refuse("at least " + std::to_string(least));
  if (number > most || error != std::errc()) refuse("at most " + std::to_string(most));
  return number;
}

std::filesystem::path program_directory() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
}

}  // namespace

CLI::Option* add_count(CLI::App& command, const std::string& name, std::int64_t least,
                       std::int64_t most, const std::function<void(std::int64_t)>& set,
                       const char* help) {
  const auto take = [=](const std::string& text) { set(whole_number(name, text, least, most)); };
  return command.add_option_function<std::string>(name, take, help)->type_name("N");
}

CLI::Option* add_file(CLI::App& command, const std::string& name, std::string& path,
                      const char* help) {
  auto* option = command.add_option(name, path, help);
  option->type_name("FILE")->check([](const std::string& text) -> std::string {
    return text.empty() ? "must be the name of a file, found \"\"" : "";
  });
  return option;
}

CLI::Option* add_profile_option(CLI::App& command, std::string& profile) {
  return command
      .add_option("--profile", profile, "of ~/.aws, for s3:// (AWS_PROFILE, else the environment)")
      ->type_name("NAME");
}

void add_model_options(CLI::App& command, Options& options) {
  const char* group = "Model";
  command
      .add_option("--model", options.model,
                  "directory, archive, packed model, file of weights or URI")
      ->type_name("MODEL")
      ->envname("LAMBERT_MODEL")
      ->group(group);
  command
      .add_option("--config-dir", options.config_dir,
                  "has config.json and the tokenizer, where the model has none")
      ->type_name("DIR")
      ->envname("LAMBERT_CONFIG_DIR")
      ->group(group);
  add_count(
      command, "--max-model-bytes", 0, kNoMost,
      [&options](std::int64_t n) { options.max_model_bytes = static_cast<std::uint64_t>(n); },
      "kept of an archive or a download; 0: the memory there is (0)")
      ->envname("LAMBERT_MAX_MODEL_BYTES")
      ->group(group);
  add_profile_option(command, options.aws_profile)->group(group);
  constexpr std::int64_t kMostThreads = 256;
  add_count(
      command, "--threads", 0, kMostThreads,
      [&options](std::int64_t n) { options.threads = static_cast<unsigned>(n); },
      "0: as many as CPUs and quota allow")
      ->envname("LAMBERT_THREADS")
      ->group(group);
  command
      .add_option("--precision", options.precision,
                  "fp32 or int8; auto: as it was packed, else fp32")
      ->type_name("NAME")
      ->envname("LAMBERT_PRECISION")
      ->group(group);
  command
      .add_option("--bundle-cache", options.bundle_cache,
                  "keep models here as lambert pack makes them, and open those")
      ->type_name("DIR")
      ->envname("LAMBERT_BUNDLE_CACHE")
      ->group(group);
  command.add_option("--isa", options.isa, "instruction set (see lambert version)")
      ->type_name("NAME")
      ->envname("LAMBERT_ISA")
      ->group(group);
}

CLI::Option* add_calibration_option(CLI::App& command, std::string& path) {
  return add_file(command, "--calibration", path,
                  "questions that int8 is to fit: JSON Lines as for batch, or SQuAD JSON");
}

void read_calibration(const std::string& path, Options& options) {
  if (path.empty()) return;
  constexpr std::size_t kMaxLine = std::size_t{64} << 20;
  QuestionSource source(path, {}, kMaxLine);
  while (auto line = source.next()) {
    if (const Error* error = std::get_if<Error>(&line->question)) {
      fail(error->code(), path, ": question ", line->id, ": ", error->what());
    }
    options.calibration.push_back(std::get<Question>(std::move(line->question)));
  }
  if (options.calibration.empty()) {
    fail(ErrorCode::kInvalidInput, path, ": has no questions to calibrate with");
  }
  if (options.precision == "auto") options.precision = "int8";
}

void add_parameter_options(CLI::App& command, Parameters& p) {
  const std::string group = "How to answer";
  const auto count = [&](const char* name, std::int64_t least, auto& field, const char* help) {
    add_count(
        command, name, least, kNoMost, [&field](std::int64_t n) { field = n; }, help)
        ->group(group);
  };
  count("--top-k", 1, p.top_k, "answers at most (1)");
  count("--max-seq-len", 1, p.max_seq_len, "tokens of a window (the model's maximum, at most 384)");
  count("--doc-stride", 0, p.doc_stride,
        "overlap of windows in tokens (max-seq-len / 2, at most 128)");
  count("--max-answer-len", 1, p.max_answer_len, "tokens of an answer (hf 15, squad 30)");
  count("--max-question-len", 1, p.max_question_len,
        "tokens of a question (64; mode hf ignores it)");
  command
      .add_flag("--handle-impossible-answer", p.handle_impossible_answer, "\"\" may be an answer")
      ->group(group);
  command
      .add_flag_callback(
          "--no-align-to-words", [&p] { p.align_to_words = false; },
          "answers may begin and end inside words")
      ->group(group);
  command
      .add_option_function<std::string>(
          "--mode", [&p](const std::string& name) { p.mode = parse_mode(name, "--mode"); },
          "how spans become answers (hf)")
      ->check(CLI::IsMember({"hf", "squad", "calibrated"}))
      ->type_name("NAME")
      ->group(group);
  count("--n-best-size", 1, p.n_best_size, "mode squad: candidates of a window (20)");
  add_number(
      command, "--null-score-diff-threshold", [&p](double x) { p.null_score_diff_threshold = x; },
      "mode squad: no answer above it (0)")
      ->group(group);
  add_number(
      command, "--score-threshold", [&p](double x) { p.score_threshold = x; },
      "leave out answers that score lower")
      ->group(group);
  command
      .add_option_function<std::string>(
          "--offset-type",
          [&p](const std::string& name) {
            p.offset_type = parse_offset_type(name, "--offset-type");
          },
          "unit of start and end (codepoint)")
      ->check(CLI::IsMember({"codepoint", "utf8", "utf16"}))
      ->type_name("NAME")
      ->group(group);
}

std::vector<std::string> default_model_paths() {
  const std::filesystem::path directory = program_directory();
  if (directory.empty()) return {};
  return {(directory / "model").string(), (directory / kDefaultModel).string(),
          (directory.parent_path() / kDefaultModel).string()};
}

std::string package_model() {
  const std::filesystem::path directory = program_directory() / "model";
  std::error_code ignored;
  return std::filesystem::is_directory(directory, ignored) ? directory.string() : "";
}

std::string model_path(const Options& options) {
  if (!options.model.empty()) return options.model;
  std::string looked;
  for (const std::string& path : default_model_paths()) {
    std::error_code ignored;
    for (const char* file : {"/model.lambert", "/config.json"}) {
      if (std::filesystem::exists(path + file, ignored)) return path;
    }
    looked += (looked.empty() ? "" : " and ") + path;
  }
  throw ModelError(ErrorCode::kNotFound,
                   "no model: pass --model MODEL or set LAMBERT_MODEL (looked for " + looked + ")");
}

Answerer open_model(const Options& options) {
  Options resolved = options;
  resolved.model = model_path(options);
  try {
    return Answerer(resolved);
  } catch (const NetworkError&) {
    throw;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInvalidArgument) throw;
    throw ModelError(error.code(), error.what());
  }
}

}  // namespace lambert
