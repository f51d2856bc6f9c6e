// lambert tokenize: what a model's tokenizer makes of a text or a pair.
#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "model_options.h"
#include "output.h"
#include "wire/json_writer.h"

namespace lambert {

namespace {

constexpr const char* kTokenizeFooter = R"(Examples:
  lambert tokenize "How are embeddings made?"
  lambert tokenize --json --pair "Who wrote it?" "Ada Lovelace wrote it in 1843."

Offsets count code points. The special tokens of the model's template are included; they have no
word. Put -- before a text that begins with a dash.)";

struct TokenizeOptions {
  Options model;
  bool pair = false;
  std::string first, second;
};

// [SEP] or whatever stands between the texts of a pair would come twice where the second is empty:
// what follows the first special token behind the text belongs to the missing one.
std::size_t single_size(const TokenizedPair& tokens) {
  std::size_t i = 0;
  while (i < tokens.ids.size() && !tokens.word_id[i]) ++i;
  if (i == tokens.ids.size()) return std::min<std::size_t>(i, 2);  // no token of the text
  std::size_t last = i;
  for (; i < tokens.ids.size(); ++i) {
    if (tokens.word_id[i]) last = i;
  }
  return std::min(last + 2, tokens.ids.size());
}

template <typename Item>
void append_list(std::string& json, const char* name, std::size_t size, const Item& item) {
  json += json.size() == 1 ? "" : ",";
  json += "\"" + std::string(name) + "\":[";
  for (std::size_t i = 0; i < size; ++i) {
    if (i > 0) json += ',';
    item(i);
  }
  json += ']';
}

std::string as_json(const TokenizedPair& t, std::size_t size) {
  std::string json = "{";
  append_list(json, "ids", size, [&](std::size_t i) { json += std::to_string(t.ids[i]); });
  append_list(json, "tokens", size, [&](std::size_t i) { append_json_string(json, t.tokens[i]); });
  append_list(json, "offsets", size, [&](std::size_t i) {
    json += '[' + std::to_string(t.start[i]) + ',' + std::to_string(t.end[i]) + ']';
  });
  append_list(json, "word_ids", size, [&](std::size_t i) {
    json += t.word_id[i] ? std::to_string(*t.word_id[i]) : "null";
  });
  append_list(json, "type_ids", size,
              [&](std::size_t i) { json += std::to_string(t.type_ids[i]); });
  return json + "}\n";
}

std::string as_table(const TokenizedPair& t, std::size_t size) {
  std::string table;
  for (std::size_t i = 0; i < size; ++i) {
    table += std::to_string(t.ids[i]) + '\t' + for_terminal(t.tokens[i]) + '\t' +
             std::to_string(t.start[i]) + '-' + std::to_string(t.end[i]) + '\n';
  }
  return table;
}

int tokenize(const TokenizeOptions& options, bool json) {
  const Answerer answerer = open_model(options.model);
  const TokenizedPair tokens = answerer.tokenize(options.first, options.second);
  const std::size_t size = options.pair ? tokens.ids.size() : single_size(tokens);
  print(json ? as_json(tokens, size) : as_table(tokens, size));
  return kExitOk;
}

}  // namespace

void add_tokenize(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<TokenizeOptions>();
  CLI::App* command = app.add_subcommand("tokenize", "Shows the tokens of a text or a pair");
  command->footer(kTokenizeFooter);
  command->add_option("text", options->first, "the text, or the question of a pair")->required();
  auto* second = command->add_option("context", options->second, "the context of a pair");
  auto* pair = command->add_flag("--pair", options->pair, "question and context");
  pair->needs(second);
  second->needs(pair);
  command->add_flag("--json", invocation.json, "ids, tokens, offsets, word_ids, type_ids");
  add_model_options(*command, options->model);
  command->callback([options, &invocation] {
    invocation.run = [options, &invocation] { return tokenize(*options, invocation.json); };
  });
}

}  // namespace lambert
