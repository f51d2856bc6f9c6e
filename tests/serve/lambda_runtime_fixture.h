// What the tests of the Lambda loop have in common.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "runtime_double.h"
#include "serve/lambda_runtime.h"

namespace lambert::test {
constexpr const char* kTiny = LAMBERT_SOURCE_DIR "/tests/model/data/tiny/distilbert_gelu";

inline std::unique_ptr<const Answerer> open_tiny() {
  return std::make_unique<const Answerer>(Options{.model = kTiny, .threads = 1});
}

inline const char* no_environment(const char*) {
  return nullptr;
}

inline std::string direct(const std::string& question, const std::string& context) {
  return R"({"question":")" + question + R"(","context":")" + context + R"("})";
}

inline std::string milliseconds_from_now(int milliseconds) {
  const auto then = std::chrono::system_clock::now() + std::chrono::milliseconds(milliseconds);
  return std::to_string(
      std::chrono::duration_cast<std::chrono::milliseconds>(then.time_since_epoch()).count());
}

// Runs the loop against a double, with its log in a file.
class LambdaRuntimeTest : public ::testing::Test {
 protected:
  LambdaRuntimeTest() {
    std::string pattern = ::testing::TempDir() + "/lambda_log_XXXXXX";
    fd_ = ::mkstemp(pattern.data());
    log_path_ = pattern;
    settings_ = read_runtime_settings(no_environment);
  }
  ~LambdaRuntimeTest() override {
    ::close(fd_);
    std::filesystem::remove(log_path_);
  }

  RuntimeEnd run(std::vector<std::string> turns, std::map<std::string, std::string> replies = {},
                 const OpenAnswerer& open = open_tiny) {
    RuntimeDouble double_(
        std::move(turns), stop_, std::move(replies), [](const Post&) {},
        static_cast<int>(settings_.pollers));
    settings_.api = double_.api();
    const RuntimeEnd end = run_lambda(settings_, open, Log(LogSettings{.json = true}, fd_), stop_);
    posts_ = double_.posts();
    turns_left_ = double_.turns_left();
    return end;
  }

  std::string log() const {
    std::ifstream file(log_path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::vector<std::string> paths() const {
    std::vector<std::string> paths;
    for (const Post& post : posts_) paths.push_back(post.path);
    return paths;
  }

  Cancellation stop_;
  RuntimeSettings settings_;
  std::vector<Post> posts_;
  std::size_t turns_left_ = 0;

 private:
  int fd_;
  std::string log_path_;
};

}  // namespace lambert::test
