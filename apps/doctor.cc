// lambert doctor: whether Lambert can work here.
#include <CLI/CLI.hpp>
#include <cmath>
#include <fstream>
#include <memory>

#include "base/error.h"
#include "base/thread_pool.h"
#include "commands.h"
#include "kernels/kernels.h"
#include "model_options.h"
#include "output.h"

namespace lambert {

namespace {

constexpr const char* kDoctorFooter = R"(Examples:
  lambert doctor
  lambert doctor --model DIR

Each line begins with OK or FAIL; the exit code is that of the first FAIL.)";

struct Report {
  std::string text;
  int code = kExitOk;  // of the first error

  // Adds a line with what `check` returns, or with the error that it throws.
  template <typename Check>
  void line(const char* name, const Check& check) {
    std::string result;
    bool good = true;
    try {
      result = check();
    } catch (const Error& error) {
      result = error.what();
      good = false;
      if (code == kExitOk) code = exit_code(error);
    }
    text += (good ? "OK    " : "FAIL  ") + std::string(name) + ": " + for_terminal(result) + '\n';
  }
};

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "not known";
}

std::string cpu_quota() {
  if (std::string v2 = first_line("/sys/fs/cgroup/cpu.max"); !v2.empty()) return v2;
  const std::string quota = first_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  return quota.empty() || quota.starts_with('-') ? "none" : quota + " us";
}

std::string instruction_set(const std::string& wanted) {
  std::string runnable;
  for (const Kernels* kernels : all_kernels()) {
    if (kernels->supported())
      runnable += (runnable.empty() ? "" : ", ") + std::string(kernels->name);
  }
  const Kernels* chosen = find_kernels(wanted);
  if (chosen == nullptr) {
    fail(ErrorCode::kInvalidArgument, quote(wanted), ": expected one of ", runnable);
  }
  return std::string(chosen->name) + " (of " + runnable + ")";
}

std::string self_test(const Answerer& answerer) {
  Question question;
  question.question = "Who wrote it?";
  question.context = "It was written in 1843. Ada Lovelace wrote it.";
  const Result result = answerer.ask(question);
  if (result.answers.empty()) fail(ErrorCode::kInternal, "the model gave no answer");
  const Answer& answer = result.answers.front();
  if (!std::isfinite(answer.score) || answer.end > question.context.size() ||
      question.context.substr(answer.start, answer.end - answer.start) != answer.answer) {
    fail(ErrorCode::kInternal, "the answer ", quote(answer.answer), " is not in the text");
  }
  return question.question + " " + quote(answer.answer);
}

int doctor(const Options& options) {
  Report report;
  report.line("version", [] { return std::string(LAMBERT_VERSION); });
  report.line("CPU", cpu_name);
  report.line("threads", [] { return std::to_string(default_threads()); });
  report.line("CPU quota", cpu_quota);
  report.line("instruction set", [&] { return instruction_set(options.isa); });
  report.line("model", [&] { return model_path(options); });
  if (report.code == kExitOk) {
    std::unique_ptr<Answerer> answerer;
    report.line("opening it", [&] {
      answerer = std::make_unique<Answerer>(open_model(options));
      const ModelInfo info = answerer->info();
      return info.model_type + ", " + std::to_string(info.parameters) + " parameters, " +
             info.precision + ", " + info.isa + ", " + std::to_string(info.threads) + " threads";
    });
    if (answerer) report.line("self-test", [&] { return self_test(*answerer); });
  }
  print(report.text);
  return report.code;
}

}  // namespace

void add_doctor(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("doctor", "Checks CPU, threads, model and one answer");
  command->footer(kDoctorFooter);
  add_model_options(*command, *options);
  command->callback(
      [options, &invocation] { invocation.run = [options] { return doctor(*options); }; });
}

}  // namespace lambert
