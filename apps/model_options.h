// The options that choose a model and how it answers; the same for every command.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "lambert/lambert.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace lambert {

inline constexpr std::int64_t kNoMost = std::numeric_limits<std::int64_t>::max();

// --model, --config-dir, --threads, --precision, --isa; each also from LAMBERT_MODEL and so on.
void add_model_options(CLI::App& command, Options& options);

// An option that takes a whole number from `least` to `most`, or says what it found instead.
CLI::Option* add_count(CLI::App& command, const std::string& name, std::int64_t least,
                       std::int64_t most, const std::function<void(std::int64_t)>& set,
                       const char* help);

// An option or argument that names a file; an empty name is refused.
CLI::Option* add_file(CLI::App& command, const std::string& name, std::string& path,
                      const char* help);

// --profile, whose keys for AWS are used.
CLI::Option* add_profile_option(CLI::App& command, std::string& profile);

// --calibration, a file of questions.
CLI::Option* add_calibration_option(CLI::App& command, std::string& path);

// options.calibration = the questions in the file at `path`, if not empty; int8 is what "auto"
// means then. Throws kInvalidInput for a broken question, or none.
void read_calibration(const std::string& path, Options& options);

// --top-k and the other parameters of the pipeline.
void add_parameter_options(CLI::App& command, Parameters& parameters);

// Where the default model is looked for, beside the program: model/, as the package of a function
// has it, and models/ of the sources.
std::vector<std::string> default_model_paths();

// The directory model/ beside the program, if it is there.
std::string package_model();

// options.model, or the first default that is there. Throws ModelError naming where it looked.
std::string model_path(const Options& options);

// Opens the model; what its files cause is thrown as ModelError.
Answerer open_model(const Options& options);

}  // namespace lambert
