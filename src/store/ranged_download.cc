#include "store/ranged_download.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "base/error.h"

namespace lambert {

namespace {

class Download {
 public:
  Download(const RemoteFile& file, const OpenRange& open, const DownloadSettings& settings,
           const Clock& clock)
      : file_(file),
        open_(open),
        settings_(settings),
        clock_(clock),
        deadline_(clock.now() + settings.budget),
        parts_((file.size + settings.part_bytes - 1) / settings.part_bytes) {}

  void run(const ByteSink& sink) {
    std::vector<std::thread> threads;
    const auto wanted = std::min<std::uint64_t>(settings_.connections, parts_);
    try {
      for (std::uint64_t i = 0; i < wanted; ++i) threads.emplace_back([this] { fetch_parts(); });
      deliver(sink);
    } catch (...) {
      stop(std::current_exception());
    }
    for (std::thread& thread : threads) thread.join();
    if (error_) std::rethrow_exception(error_);
  }

 private:
  using Part = std::vector<std::byte>;

  // In this thread: each part when it is there and those before it are through.
  void deliver(const ByteSink& sink) {
    for (std::uint64_t i = 0; i < parts_; ++i) {
      Part part;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return error_ || ready_.contains(i); });
        if (error_) return;
        part = std::move(ready_.extract(i).mapped());
      }
      sink(part);
      const std::lock_guard lock(mutex_);
      ++delivered_;
      changed_.notify_all();
    }
  }

  void fetch_parts() {
    try {
      const std::unique_ptr<RangeReader> reader = open_(&stop_);
      Retrier retrier(settings_.retry, {&clock_, &stop_}, std::random_device{}());
      for (std::uint64_t i = 0; claim(i);) {
        Part part = fetch(*reader, retrier, i);
        const std::lock_guard lock(mutex_);
        ready_.emplace(i, std::move(part));
        changed_.notify_all();
      }
    } catch (...) {
      stop(std::current_exception());
    }
  }

  // The next part, as soon as there is room for it; false when there is none left.
  bool claim(std::uint64_t& index) {
    std::unique_lock lock(mutex_);
    changed_.wait(
        lock, [&] { return error_ || next_ == parts_ || next_ < delivered_ + settings_.window; });
    if (error_ || next_ == parts_) return false;
    index = next_++;
    return true;
  }

  Part fetch(RangeReader& reader, Retrier& retrier, std::uint64_t index) {
    const std::uint64_t begin = index * settings_.part_bytes;
    const std::uint64_t end = std::min(file_.size, begin + settings_.part_bytes);
    Part part;
    part.reserve(static_cast<std::size_t>(end - begin));
    retrier.run(deadline_, [&] {
      reader.read(
          begin + part.size(), end,
          [&](std::span<const std::byte> bytes) {
            if (bytes.size() > end - begin - part.size()) {
              network_fail(Retry::kYes, file_.name, ": more bytes came than were asked for");
            }
            part.insert(part.end(), bytes.begin(), bytes.end());
          },
          deadline_);
      if (part.size() != end - begin) {
        network_fail(Retry::kYes, file_.name, ": fewer bytes came than were asked for");
      }
    });
    return part;
  }

  // The first error counts; others may only follow from it.
  void stop(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    stop_.cancel();
    changed_.notify_all();
  }

  const RemoteFile& file_;
  const OpenRange& open_;
  const DownloadSettings& settings_;
  const Clock& clock_;
  const TimePoint deadline_;
  const std::uint64_t parts_;
  const Cancellation stop_;
  std::mutex mutex_;  // over those below
  std::condition_variable changed_;
  std::map<std::uint64_t, Part> ready_;
  std::uint64_t next_ = 0, delivered_ = 0;
  std::exception_ptr error_;
};

}  // namespace

void download_file(const RemoteFile& file, const OpenRange& open, const DownloadSettings& settings,
                   const Clock& clock, const ByteSink& sink) {
  Download(file, open, settings, clock).run(sink);
}

}  // namespace lambert
