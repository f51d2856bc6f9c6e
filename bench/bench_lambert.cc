// Lambert's side of the benchmark: bench_lambert MODEL THREADS. Says "READY <load ms> <instruction
// set>", then answers each line of standard input (fields separated by tabs) with one line:
//   FORWARD count question context   count times in ms: logits of one window, tokenisation included
//   ANSWER count question context    count times in ms: text in, answer out
//   CHECK question context           the start logits, then the end logits
//   BATCH file                       one time in ms: all its lines "question<tab>context"
//   MIXED file                       a time in ms for each line: text in, answer out
//   MEMORY                           peak resident memory in KiB
// bench/peer.py speaks the same to run.py for the other engines.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "lambert/lambert.h"

namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::size_t begin = 0;
  for (std::size_t tab = 0; (tab = line.find('\t', begin)) != std::string::npos; begin = tab + 1) {
    fields.push_back(line.substr(begin, tab - begin));
  }
  fields.push_back(line.substr(begin));
  return fields;
}

lambert::Question question_of(std::string question, std::string context) {
  lambert::Question result;
  result.question = std::move(question);
  result.context = std::move(context);
  result.parameters.max_seq_len = 384;
  return result;
}

template <typename Call>
void print_times(const std::string& count, const Call& call) {
  for (int left = std::stoi(count); left > 0; --left) {
    const auto begin = Clock::now();
    call();
    std::printf("%.4f ", ms_since(begin));
  }
}

void print_logits(const lambert::Answerer& answerer, const lambert::Question& question) {
  const auto windows = answerer.logits(question);
  for (const float value : windows.at(0).start) std::printf("%.6f ", static_cast<double>(value));
  for (const float value : windows.at(0).end) std::printf("%.6f ", static_cast<double>(value));
}

std::vector<lambert::Question> read_questions(const std::string& path) {
  std::vector<lambert::Question> questions;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    auto fields = split(line);
    questions.push_back(question_of(std::move(fields.at(0)), std::move(fields.at(1))));
  }
  return questions;
}

double batch_ms(const lambert::Answerer& answerer, std::vector<lambert::Question> questions) {
  const auto begin = Clock::now();
  std::vector<lambert::Pending> pending;
  pending.reserve(questions.size());
  for (auto& question : questions) pending.push_back(answerer.submit(std::move(question)));
  for (auto& answer : pending) answer.wait();
  return ms_since(begin);
}

// Of this program: getrusage's maximum is inherited from the one that started it.
long peak_kib() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
  }
  throw std::runtime_error("/proc/self/status has no VmHWM");
}

void serve(const lambert::Answerer& answerer, const std::vector<std::string>& fields) {
  const std::string& command = fields.at(0);
  if (command == "FORWARD") {
    const auto question = question_of(fields.at(2), fields.at(3));
    print_times(fields.at(1), [&] { answerer.logits(question); });
  } else if (command == "ANSWER") {
    const auto question = question_of(fields.at(2), fields.at(3));
    print_times(fields.at(1), [&] { answerer.ask(question); });
  } else if (command == "CHECK") {
    print_logits(answerer, question_of(fields.at(1), fields.at(2)));
  } else if (command == "BATCH") {
    std::printf("%.3f", batch_ms(answerer, read_questions(fields.at(1))));
  } else if (command == "MIXED") {
    for (const auto& question : read_questions(fields.at(1))) {
      print_times("1", [&] { answerer.ask(question); });
    }
  } else if (command == "MEMORY") {
    std::printf("%ld", peak_kib());
  } else {
    throw std::invalid_argument("unknown command " + command);
  }
}

void run(const std::string& model, const std::string& threads) {
  lambert::Options options;
  options.model = model;
  options.threads = static_cast<unsigned>(std::stoul(threads));
  const auto begin = Clock::now();
  const lambert::Answerer answerer(options);
  const double load_ms = ms_since(begin);
  std::printf("READY %.3f %s\n", load_ms, answerer.info().isa.c_str());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    serve(answerer, split(line));
    std::printf("\n");
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_lambert MODEL THREADS\n");
    return 2;
  }
  try {
    run(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_lambert: %s\n", error.what());
    return 1;
  }
  return 0;
}
