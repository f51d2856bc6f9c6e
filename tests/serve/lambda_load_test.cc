// The Lambda loop with several pollers, and for long.
#include <algorithm>
#include <set>

#include "../sanitized.h"
#include "lambda_runtime_fixture.h"

namespace lambert {
namespace {

using namespace test;

TEST_F(LambdaRuntimeTest, SeveralPollersAnswerEachItsOwn) {
  settings_.pollers = 4;
  std::vector<std::string> turns;
  std::set<std::string> expected;
  for (int i = 0; i < 40; ++i) {
    const std::string id = "id-" + std::to_string(i);
    turns.push_back(next_event(
        id, R"({"question":"Q?","documents":[{"id":")" + id + R"(","text":"Ada wrote it."}]})"));
    expected.insert("invocation/" + id + "/response");
  }
  EXPECT_EQ(run(std::move(turns)), RuntimeEnd::kStopped);
  const std::vector<std::string> all = paths();
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()), expected);
  EXPECT_EQ(all.size(), expected.size());
  for (const Post& post : posts_) {
    const std::string id = post.path.substr(11, post.path.rfind('/') - 11);
    EXPECT_NE(post.body.find("\"document_id\":\"" + id + "\""), std::string::npos)
        << post.path << post.body;
  }
}

std::size_t resident_bytes() {
  std::size_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t open_descriptors() {
  const auto begin = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin, std::filesystem::directory_iterator()));
}

// Memory is looked at after 1,000 and after 10,000 invocations of one process.
TEST_F(LambdaRuntimeTest, TenThousandInvocationsDoNotGrow) {
  std::atomic<std::size_t> early{0}, descriptors{0};
  std::vector<std::string> turns(1'000, next_event("id", direct("Who?", "Ada wrote it.")));
  const auto round = [&] {
    Cancellation fresh;
    RuntimeDouble double_(turns, fresh);
    settings_.api = double_.api();
    EXPECT_EQ(
        run_lambda(settings_, open_tiny, Log(LogSettings{.level = LogLevel::kFatal}, 2), fresh),
        RuntimeEnd::kStopped);
    EXPECT_EQ(double_.posts().size(), turns.size());
    EXPECT_EQ(double_.posts().back().path, "invocation/id/response");
    EXPECT_LE(double_.connections(), 4);  // kept alive
  };
  round();
  early = resident_bytes();
  descriptors = open_descriptors();
  for (int i = 1; i < 10; ++i) round();
#if LAMBERT_SANITIZED
  std::printf("NOTICE: memory of the runtime is not measured under a sanitizer, which keeps it\n");
#else
  EXPECT_LE(resident_bytes(), early + (std::size_t{8} << 20));
#endif
  EXPECT_EQ(open_descriptors(), descriptors);
}

}  // namespace
}  // namespace lambert
