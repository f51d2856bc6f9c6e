// The figures of lambert eval as text and as JSON.
#pragma once

#include <cstddef>
#include <string>

#include "eval/squad_eval.h"
#include "eval/squad_json.h"

namespace lambert {

// One object on one line; docs/cli.md names its members.
std::string evaluation_json(const SquadData& data, const Evaluation& evaluation, std::size_t errors,
                            double seconds);

// A few lines for people.
std::string evaluation_text(const SquadData& data, const Evaluation& evaluation, double seconds);

}  // namespace lambert
