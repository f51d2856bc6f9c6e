// Work in a process that may use memory and nothing else of the system.
#pragma once

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lambert {

// Only memory, the pipe of the verdict and the end of the process are allowed; the kernel kills it
// for anything else.
inline void allow_only_memory() {
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

// The peak of a process that does nothing, in KiB. Shows that the filter kills, too.
inline long confined_idle_kib() {
  long peak = 0;
  EXPECT_EQ(run_confined([] { return static_cast<int>(getppid()); }, &peak), -1);
  EXPECT_EQ(run_confined([] { return 1; }, &peak), 1);
  return peak;
}

}  // namespace lambert
