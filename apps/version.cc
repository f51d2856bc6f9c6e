// lambert version: what was built and what this CPU can run of it.
#include <CLI/CLI.hpp>
#include <cstdlib>

#include "base/error.h"
#include "commands.h"
#include "kernels/kernels.h"
#include "output.h"
#include "wire/json_writer.h"

namespace lambert {

namespace {

constexpr const char* kVersionFooter = R"(Examples:
  lambert version
  LAMBERT_ISA=scalar lambert version --json)";

#if defined(__clang__)
constexpr const char* kCompiler = "clang " __clang_version__;
#else
constexpr const char* kCompiler = "gcc " __VERSION__;
#endif

const Kernels& selected() {
  const char* forced = std::getenv("LAMBERT_ISA");
  const std::string_view name = forced == nullptr ? "" : forced;
  const Kernels* kernels = find_kernels(name);
  if (kernels == nullptr) {
    fail(ErrorCode::kInvalidArgument, "LAMBERT_ISA ", quote(name),
         ": not an instruction set that this program and CPU have");
  }
  return *kernels;
}

int version(bool json) {
  std::string built, runnable;
  for (const Kernels* kernels : all_kernels()) {
    const std::string name = json ? '"' + std::string(kernels->name) + '"' : kernels->name;
    const std::string comma = json ? "," : ", ";
    built += (built.empty() ? "" : comma) + name;
    if (kernels->supported()) runnable += (runnable.empty() ? "" : comma) + name;
  }
  if (json) {
    std::string text = "{\"version\":\"" LAMBERT_VERSION "\",\"compiler\":";
    append_json_string(text, kCompiler);
    text += ",\"isas\":[" + built + "],\"isas_supported\":[" + runnable + "],\"isa\":";
    append_json_string(text, selected().name);
    print(text + "}\n");
  } else {
    print("lambert " LAMBERT_VERSION "\ncompiler: " + std::string(kCompiler) +
          "\ninstruction sets: " + built + "; this CPU runs " + runnable +
          "\nselected: " + selected().name + "\n");
  }
  return kExitOk;
}

}  // namespace

void add_version(CLI::App& app, Invocation& invocation) {
  CLI::App* command = app.add_subcommand("version", "Version, compiler and instruction sets");
  command->footer(kVersionFooter);
  command->add_flag("--json", invocation.json, "as JSON");
  command->callback(
      [&invocation] { invocation.run = [&invocation] { return version(invocation.json); }; });
}

}  // namespace lambert
