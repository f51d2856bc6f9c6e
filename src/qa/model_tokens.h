// Whether a model's tokenizer and its embedding tables fit together.
#pragma once

#include <cstddef>
#include <string>

#include "qa/loaded_model.h"

namespace lambert {

// Ids and types of the pair template's special tokens must have rows in the embedding tables, else
// throws kInvalidModel. `path` is the model's.
void check_template(const LoadedModel& model, const std::string& path);

// So must what the tokenizer made of a text.
void check_ids(const LoadedModel& model, const Encoding& encoding);

// Of the pair template.
std::size_t special_tokens(const Tokenizer& tokenizer);

}  // namespace lambert
