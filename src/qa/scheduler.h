// The one scheduler of windows: questions in flight wait here, and whoever waits for an answer
// computes. As in a group commit, one waiting thread at a time is the leader: it packs the windows
// that are due, of any questions, into one batch without padding, runs the forward pass on the
// pool and hands the logits to the questions' decoders; the others sleep until theirs is done. So
// there is no thread of its own, and a lone question is answered by its own thread at once.
//
// Order: higher priority first, then as submitted; windows of one question in order. So that a long
// document does not hold up short ones, a question's priority falls as its windows are taken; so
// that it is not held up for ever, each batch begins with a window of the oldest question.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "model/encoder.h"
#include "qa/decoder.h"
#include "qa/loaded_model.h"
#include "qa/memory_plan.h"
#include "qa/windows.h"

namespace lambert {

using SteadyClock = std::chrono::steady_clock;

// A question, its windows and what is known of its answer.
struct Job {
  // Set before submission, not changed afterwards.
  std::string context_text;
  ResolvedParameters parameters;
  Encoding question, context;
  WindowPlan plan;
  int priority = 0;
  SteadyClock::time_point deadline = SteadyClock::time_point::max();
  std::function<bool()> cancelled;  // may be empty
  bool read_all_rows = false;       // logits of every token, not only of possible answers
  double tokenize_ms = 0;
  SteadyClock::time_point created;

  // Guarded by the scheduler's mutex.
  std::uint64_t sequence = 0;
  std::size_t next_window = 0;  // first one that is in no batch yet
  std::size_t windows_done = 0;
  std::size_t tokens = 0;
  std::size_t batch_windows = 0;
  bool finished = false;
  std::condition_variable changed;  // finished, or nobody leads
  std::exception_ptr error;
  SteadyClock::time_point submitted, started, ended;
  double compute_ms = 0;

  std::mutex decoder_mutex;  // taken alone, never together with the scheduler's mutex
  std::unique_ptr<Decoder> decoder;
};

// Thread-safe. Owns the workspace; the model, kernels and pool must outlive it.
class Scheduler {
 public:
  Scheduler(const LoadedModel& model, const Kernels& kernels, ThreadPool& pool);

  void submit(const std::shared_ptr<Job>& job);
  // Computes until the job is finished; rethrows its error.
  void wait(const std::shared_ptr<Job>& job);
  // Finishes the job with kCancelled, unless it is finished.
  void cancel(const std::shared_ptr<Job>& job);
  bool finished(const Job& job) const;
  // Answers of the windows done so far, with counts and times.
  Result result(Job& job) const;

 private:
  struct Item {  // a window in the batch that runs
    std::shared_ptr<Job> job;
    std::size_t window;
  };
  struct Order {
    bool operator()(const std::shared_ptr<Job>& a, const std::shared_ptr<Job>& b) const;
  };
  using Queue = std::set<std::shared_ptr<Job>, Order>;

  void collect();  // with the mutex: items_ = the next batch
  std::shared_ptr<Job> drop_ended();
  bool take_window(const std::shared_ptr<Job>& job, std::size_t& tokens);
  void compute();  // without it: forward pass and decoding; only by the leader
  void pack();
  void add_window(std::size_t item);
  void decode(std::size_t item);
  void account(double milliseconds);  // with the mutex
  void finish(Job& job, std::exception_ptr error);

  const LoadedModel& model_;
  const Kernels& kernels_;
  ThreadPool& pool_;
  Workspace workspace_;

  mutable std::mutex mutex_;
  Queue queue_;                  // jobs with windows in no batch yet
  std::vector<Job*> followers_;  // of threads that wait while another leads
  std::uint64_t sequence_ = 0;
  bool leading_ = false;

  // Of the leader; kept to reuse the memory.
  std::vector<Item> items_;
  std::vector<Window> windows_;
  std::vector<std::int32_t> ids_, type_ids_;
  std::vector<std::uint32_t> window_begin_, read_rows_, read_begin_;
  std::vector<float> logits_, start_, end_;
  std::vector<std::exception_ptr> errors_;  // (items)
  std::exception_ptr batch_error_;          // of all items

  // Made beforehand: a question is finished under the mutex, where nothing may be allocated.
  const std::exception_ptr cancelled_ =
      std::make_exception_ptr(Error(ErrorCode::kCancelled, "the question was cancelled"));
  const std::exception_ptr deadline_passed_ =
      std::make_exception_ptr(Error(ErrorCode::kDeadlineExceeded, "the deadline passed"));
};

}  // namespace lambert
