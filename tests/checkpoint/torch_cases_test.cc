// Files of torch 2.15, old and new, and hostile ones, with torch's verdict
// (tools/goldens/torch_cases.py). Ours reads the same tensors, and refuses everything else with a
// reason while it touches no file, process or network.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <random>
#include <set>

#include "../sanitized.h"
#include "base/error.h"
#include "checkpoint/torch_file.h"
#include "golden_cases.h"

namespace lambert {
namespace {

struct TorchCase {
  std::string name, file, refused, torch, rule;
  boost::json::array tensors;  // of those that are not refused
};

const std::vector<TorchCase>& torch_cases() {
  static const auto* const cases = [] {
    auto* const read = new std::vector<TorchCase>;
    for (const boost::json::object& fields : golden_cases("torch_cases.jsonl")) {
      TorchCase one{
          text_field(fields, "name"), golden_file(fields), "", text_field(fields, "torch"), "", {}};
      if (fields.contains("refused")) one.refused = text_field(fields, "refused");
      if (fields.contains("rule")) one.rule = text_field(fields, "rule");
      if (fields.contains("tensors")) one.tensors = fields.at("tensors").as_array();
      read->push_back(std::move(one));
    }
    return read;
  }();
  return *cases;
}

std::vector<ReadTensor> read_all(std::string_view file) {
  return copy_tensors(file, "weights", read_torch_file);
}

TEST(TorchCases, TheTensorsAreTorchs) {
  int read = 0;
  for (const TorchCase& one : torch_cases()) {
    if (!one.refused.empty()) continue;
    EXPECT_TRUE(is_torch_file(std::as_bytes(std::span(one.file)))) << one.name;
    EXPECT_NO_THROW(expect_tensors(read_all(one.file), one.tensors, one.name)) << one.name;
    EXPECT_EQ(one.torch == "reads", one.rule.empty()) << one.name;  // where ours reads more
    ++read;
  }
  EXPECT_GE(read, 70);
}

TEST(TorchCases, HostileFilesAreRefusedWithTheReason) {
  const std::set<std::string> stricter = {"instructions and names of state dicts only",
                                          "types",
                                          "limits",
                                          "the tensors of one model",
                                          "protocols 2 to 4",
                                          "zip files that have one meaning",
                                          "whole legacy files"};
  int refused = 0;
  for (const TorchCase& one : torch_cases()) {
    if (one.refused.empty()) continue;
    try {
      read_all(one.file);
      ADD_FAILURE() << one.name << ": accepted";
    } catch (const Error& error) {
      EXPECT_NE(std::string_view(error.what()).find(one.refused), std::string_view::npos)
          << one.name << ": " << error.what();
      EXPECT_TRUE(std::string_view(error.what()).starts_with("weights: ")) << error.what();
    }
    EXPECT_EQ(one.torch == "reads", stricter.contains(one.rule)) << one.name;
    ++refused;
  }
  EXPECT_GE(refused, 300);
}

// Only memory, the pipe of the verdict and the end of the process are allowed; the kernel kills it
// for anything else.
void allow_only_memory() {
  const auto call = static_cast<std::uint32_t>(offsetof(seccomp_data, nr));
  std::vector<sock_filter> filter{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, call)};
  for (const long allowed : {SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_mprotect,
                             SYS_futex, SYS_write, SYS_rt_sigprocmask, SYS_exit_group}) {
    filter.push_back(
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(allowed), 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    _exit(2);
  }
}

// Runs `work` under the filter; returns its int through a pipe. -1: it was killed.
template <typename Work>
int run_confined(const Work& work, long* peak_kib) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    allow_only_memory();
    const int result = work();
    const bool sent = write(ends[1], &result, sizeof result) == sizeof result;
    _exit(sent ? 0 : 3);
  }
  close(ends[1]);
  int result = -1;
  if (read(ends[0], &result, sizeof result) != sizeof result) result = -1;
  close(ends[0]);
  int status = 0;
  rusage used{};
  EXPECT_EQ(wait4(child, &status, 0, &used), child);
  *peak_kib = used.ru_maxrss;
  return status == 0 ? result : -1;
}

TEST(TorchCases, HostileFilesTouchNothing) {
  if (LAMBERT_SANITIZED != 0) GTEST_SKIP() << "sanitizers make system calls of their own";
  const std::vector<TorchCase>& cases = torch_cases();
  int hostile = 0;
  for (const TorchCase& one : cases) hostile += one.refused.empty() ? 0 : 1;
  long before = 0, peak = 0;
  ASSERT_EQ(run_confined([] { return 1; }, &before), 1);
  // That the filter kills is shown first.
  ASSERT_EQ(run_confined([] { return static_cast<int>(getppid()); }, &peak), -1);
  const int refused = run_confined(
      [&] {
        int count = 0;
        for (const TorchCase& one : cases) {
          if (one.refused.empty()) continue;
          try {
            read_all(one.file);
          } catch (const Error&) {
            ++count;
          }
        }
        return count;
      },
      &peak);
  EXPECT_EQ(refused, hostile);
  EXPECT_LT(peak - before, 320 * 1024) << "KiB";  // a million values, and what holds them
}

TEST(TorchCases, AFileThatIsCutOffIsRefused) {
  for (const TorchCase& one : torch_cases()) {
    if (!one.refused.empty()) continue;
    for (std::size_t part = 0; part < 256; ++part) {
      const std::string_view cut =
          std::string_view(one.file).substr(0, one.file.size() * part / 256);
      EXPECT_THROW(read_all(cut), Error) << one.name << ", " << part << "/256";
    }
  }
}

// A changed bit of a zip file is refused or means nothing; one of a legacy file has no checksum
// but leaves every tensor within the file.
TEST(TorchCases, AChangedBitIsHarmless) {
  std::mt19937 generator(11);
  for (const TorchCase& one : torch_cases()) {
    if (one.name != "views, zip" && one.name != "views, legacy") continue;
    const bool is_zip = one.name == "views, zip";
    int refused = 0;
    for (std::size_t i = 0; i < one.file.size(); ++i) {
      std::string changed = one.file;
      changed[i] = static_cast<char>(changed[i] ^ (1 << generator() % 8));
      try {
        const std::vector<ReadTensor> found = read_all(changed);
        if (is_zip) expect_tensors(found, one.tensors, one.name + " " + std::to_string(i));
        for (const ReadTensor& tensor : found) {
          std::uint64_t bytes = item_size(tensor.dtype);
          for (const std::uint64_t extent : tensor.shape) bytes *= extent;
          EXPECT_EQ(tensor.data.size(), bytes);
        }
      } catch (const Error&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, static_cast<int>(one.file.size() / 4)) << one.name;
  }
}

}  // namespace
}  // namespace lambert
