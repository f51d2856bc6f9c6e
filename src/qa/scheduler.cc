#include "qa/scheduler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.h"

namespace lambert {

namespace {

double milliseconds(SteadyClock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

Scheduler::Scheduler(const LoadedModel& model, const Kernels& kernels, ThreadPool& pool)
    : model_(model),
      kernels_(kernels),
      pool_(pool),
      workspace_(
          model.config, model.weights.precision,
          batch_tokens(model.config, model.weights.precision, model.max_window, pool.threads()),
          model.max_window, pool.threads()) {
  items_.reserve(workspace_.max_tokens());  // collect() must not allocate: it holds the lead
}

void Scheduler::submit(const std::shared_ptr<Job>& job) {
  const std::lock_guard lock(mutex_);
  job->sequence = sequence_++;
  job->submitted = SteadyClock::now();
  queue_.insert(job);
}

void Scheduler::wait(const std::shared_ptr<Job>& job) {
  std::unique_lock lock(mutex_);
  while (!job->finished) {
    if (leading_) {
      followers_.push_back(job.get());
      job->changed.wait(lock);
      followers_.erase(std::find(followers_.begin(), followers_.end(), job.get()));
      continue;
    }
    leading_ = true;
    collect();
    if (!items_.empty()) {
      lock.unlock();
      const auto begin = SteadyClock::now();
      compute();
      const double spent = milliseconds(SteadyClock::now() - begin);
      lock.lock();
      account(spent);
    }
    leading_ = false;
  }
  if (!leading_ && !followers_.empty()) followers_.front()->changed.notify_one();
  if (job->error == deadline_passed_) {
    fail(ErrorCode::kDeadlineExceeded, "the deadline passed after ", job->windows_done, " of ",
         job->plan.count, " windows");
  }
  if (job->error) std::rethrow_exception(job->error);
}

void Scheduler::cancel(const std::shared_ptr<Job>& job) {
  const std::lock_guard lock(mutex_);
  if (job->finished) return;
  queue_.erase(job);
  finish(*job, cancelled_);
}

bool Scheduler::finished(const Job& job) const {
  const std::lock_guard lock(mutex_);
  return job.finished;
}

Result Scheduler::result(Job& job) const {
  Result result;
  {
    const std::lock_guard lock(job.decoder_mutex);
    result = job.decoder->result();
  }
  const std::lock_guard lock(mutex_);
  const auto now = job.finished ? job.ended : SteadyClock::now();
  result.windows_done = job.windows_done;
  result.windows_total = job.plan.count;
  result.tokens = job.tokens;
  result.batch_windows = job.batch_windows;
  result.tokenize_ms = job.tokenize_ms;
  result.queue_ms = milliseconds((job.windows_done > 0 ? job.started : now) - job.submitted);
  result.compute_ms = job.compute_ms;
  result.total_ms = milliseconds(now - job.created);
  return result;
}

bool Scheduler::Order::operator()(const std::shared_ptr<Job>& a,
                                  const std::shared_ptr<Job>& b) const {
  constexpr std::size_t kShort = 16;  // windows; below it, first come, first served
  const auto rank = [](const Job& job) {
    return job.priority - static_cast<int>(std::bit_width(job.next_window / kShort));
  };
  const int of_a = rank(*a), of_b = rank(*b);
  return of_a != of_b ? of_a > of_b : a->sequence < b->sequence;
}

void Scheduler::collect() {
  // Enough to spread evenly; with more, a question that comes now would wait longer for its turn.
  constexpr std::size_t kWindowsAThread = 8;
  const std::size_t most = kWindowsAThread * pool_.threads();
  items_.clear();
  const std::shared_ptr<Job> oldest = drop_ended();
  std::size_t tokens = 0;
  if (oldest) take_window(oldest, tokens);
  while (!queue_.empty() && items_.size() < most && take_window(*queue_.begin(), tokens)) {
  }
}

// Finishes those whose time is up or whom nobody wants any more; returns the oldest of the others.
std::shared_ptr<Job> Scheduler::drop_ended() {
  const auto now = SteadyClock::now();
  std::shared_ptr<Job> oldest;
  for (auto next = queue_.begin(); next != queue_.end();) {
    const std::shared_ptr<Job>& job = *next;
    const bool late = job->deadline <= now;
    if (late || (job->cancelled && job->cancelled())) {
      finish(*job, late ? deadline_passed_ : cancelled_);
      next = queue_.erase(next);
      continue;
    }
    if (!oldest || job->sequence < oldest->sequence) oldest = job;
    ++next;
  }
  return oldest;
}

// The job's next window into the batch of so far `tokens`; false when it has no room.
bool Scheduler::take_window(const std::shared_ptr<Job>& job, std::size_t& tokens) {
  const std::size_t wanted = job->plan.tokens(job->next_window);
  if (tokens + wanted > workspace_.max_tokens()) return false;
  tokens += wanted;
  items_.push_back({job, job->next_window});
  const auto node = queue_.find(job);
  if (job->next_window == 0) job->started = SteadyClock::now();
  auto taken = queue_.extract(node);  // its place changes
  if (++taken.value()->next_window < taken.value()->plan.count) queue_.insert(std::move(taken));
  return true;
}

void Scheduler::compute() {
  batch_error_ = nullptr;
  try {
    errors_.assign(items_.size(), nullptr);
    pack();
    forward(model_.config, model_.weights,
            {ids_, type_ids_, window_begin_, read_rows_, read_begin_}, workspace_, kernels_, pool_,
            logits_);
  } catch (...) {  // whoever leads must give the lead back
    batch_error_ = std::current_exception();
    return;
  }
  for (std::size_t i = 0; i < items_.size(); ++i) {
    try {
      decode(i);
    } catch (...) {
      errors_[i] = std::current_exception();
    }
  }
}

void Scheduler::pack() {
  windows_.resize(std::max(windows_.size(), items_.size()));
  ids_.clear();
  type_ids_.clear();
  read_rows_.clear();
  window_begin_.assign(1, 0);
  read_begin_.assign(1, 0);
  for (std::size_t i = 0; i < items_.size(); ++i) add_window(i);
  logits_.resize(2 * read_rows_.size());
}

void Scheduler::add_window(std::size_t item) {
  const Job& job = *items_[item].job;
  Window& window = windows_[item];
  make_window(*model_.tokenizer, job.question, job.context, job.plan, items_[item].window, window);
  const auto first = static_cast<std::uint32_t>(ids_.size());
  for (std::uint32_t row = 0; row < window.ids.size(); ++row) {
    if (row == 0 || window.allowed[row] != 0 || job.read_all_rows) {
      read_rows_.push_back(first + row);
    }
  }
  ids_.insert(ids_.end(), window.ids.begin(), window.ids.end());
  type_ids_.insert(type_ids_.end(), window.type_ids.begin(), window.type_ids.end());
  window_begin_.push_back(static_cast<std::uint32_t>(ids_.size()));
  read_begin_.push_back(static_cast<std::uint32_t>(read_rows_.size()));
}

void Scheduler::decode(std::size_t item) {
  Job& job = *items_[item].job;
  const std::size_t first = window_begin_[item];
  const std::size_t tokens = window_begin_[item + 1] - first;
  start_.assign(tokens, 0.0F);
  end_.assign(tokens, 0.0F);
  for (std::size_t i = read_begin_[item]; i < read_begin_[item + 1]; ++i) {
    const std::size_t row = read_rows_[i] - first;
    start_[row] = logits_[2 * i];
    end_[row] = logits_[2 * i + 1];
    if (!std::isfinite(start_[row]) || !std::isfinite(end_[row])) {
      fail(ErrorCode::kInvalidModel, "the model gave a logit that is not finite for token ", row,
           " of window ", items_[item].window, "; its weights are damaged or overflow");
    }
  }
  const std::lock_guard lock(job.decoder_mutex);
  job.decoder->add(windows_[item], start_, end_);
}

void Scheduler::account(double spent) {
  std::size_t all_tokens = 0;
  for (const Item& item : items_) all_tokens += item.job->plan.tokens(item.window);
  for (std::size_t i = 0; i < items_.size(); ++i) {
    Job& job = *items_[i].job;
    if (job.finished) continue;  // cancelled, or failed in an earlier window
    const std::size_t tokens = job.plan.tokens(items_[i].window);
    job.compute_ms += spent * static_cast<double>(tokens) / static_cast<double>(all_tokens);
    job.tokens += tokens;
    job.batch_windows = std::max(job.batch_windows, items_.size());
    ++job.windows_done;
    const std::exception_ptr& error = batch_error_ ? batch_error_ : errors_[i];
    if (error) {
      queue_.erase(items_[i].job);
      finish(job, error);
    } else if (job.windows_done == job.plan.count) {
      finish(job, nullptr);
    }
  }
  items_.clear();
}

void Scheduler::finish(Job& job, std::exception_ptr error) {
  job.finished = true;
  job.error = std::move(error);
  job.ended = SteadyClock::now();
  job.changed.notify_one();
}

}  // namespace lambert
