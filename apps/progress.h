// How far a long run is, on standard error.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace lambert {

// Draws one line over and over, on a terminal only and unless HF_HUB_DISABLE_PROGRESS_BARS is set.
class Progress {
 public:
  explicit Progress(bool wanted);
  ~Progress();  // wipes the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `fresh` questions were answered by this run, `done` in all; `fraction` of the work, negative
  // where not known.
  void show(std::size_t done, std::size_t fresh, std::size_t failed, double fraction);

  // Bytes of a transfer, of `total`; 0 where that is not known.
  void show_bytes(std::uint64_t done, std::uint64_t total);

  // What is done now, where nobody knows for how long; at once.
  void show_step(const std::string& text);

  double seconds() const;  // since the start

 private:
  using Clock = std::chrono::steady_clock;
  bool due();  // whether to draw again
  void draw(const std::string& text);

  bool wanted_;
  bool drawn_ = false;
  Clock::time_point start_ = Clock::now(), last_ = start_;
};

std::string duration_text(double seconds);  // "12.3 s", "4 min 05 s", "2 h 03 min"

}  // namespace lambert
