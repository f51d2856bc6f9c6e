// The commands of the program, each in a file of its own.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace lambert {

// What the command line asks for.
struct Invocation {
  std::function<int()> run;  // returns the exit code; may throw Error
  bool json = false;         // an error goes to standard output too, as JSON
};

// Each adds its command to `app`; parsing it sets invocation.run.
void add_ask(CLI::App& app, Invocation& invocation);
void add_batch(CLI::App& app, Invocation& invocation);
void add_serve(CLI::App& app, Invocation& invocation);
void add_eval(CLI::App& app, Invocation& invocation);
void add_tokenize(CLI::App& app, Invocation& invocation);
void add_logits(CLI::App& app, Invocation& invocation);
void add_archive(CLI::App& app, Invocation& invocation);
void add_pack(CLI::App& app, Invocation& invocation);
void add_package(CLI::App& app, Invocation& invocation);
void add_pull(CLI::App& app, Invocation& invocation);
void add_push(CLI::App& app, Invocation& invocation);
void add_inspect(CLI::App& app, Invocation& invocation);
void add_doctor(CLI::App& app, Invocation& invocation);
void add_verify(CLI::App& app, Invocation& invocation);
void add_version(CLI::App& app, Invocation& invocation);

}  // namespace lambert
