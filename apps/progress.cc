#include "progress.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "output.h"

namespace lambert {

namespace {

constexpr auto kInterval = std::chrono::milliseconds(200);

void put(std::string_view text) {
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

bool disabled() {
  const char* value = std::getenv("HF_HUB_DISABLE_PROGRESS_BARS");
  return value != nullptr && *value != '\0' && std::string_view(value) != "0";
}

}  // namespace

std::string duration_text(double seconds) {
  char text[64];
  const auto whole = static_cast<long long>(seconds);
  if (seconds < 60) {
    std::snprintf(text, sizeof text, "%.1f s", seconds);
  } else if (seconds < 3600) {
    std::snprintf(text, sizeof text, "%lld min %02lld s", whole / 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld h %02lld min", whole / 3600, whole / 60 % 60);
  }
  return text;
}

Progress::Progress(bool wanted) : wanted_(wanted && errors_are_terminal() && !disabled()) {}

Progress::~Progress() {
  if (drawn_) put("\r\x1b[K");
}

double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void Progress::show(std::size_t done, std::size_t fresh, std::size_t failed, double fraction) {
  if (!due()) return;
  const double rate = static_cast<double>(fresh) / seconds();
  char number[48];
  std::snprintf(number, sizeof number, ", %.1f/s", rate);
  std::string line = std::to_string(done) + " questions" + number;
  if (failed > 0) line += ", " + std::to_string(failed) + " failed";
  if (fraction > 0) {
    const double done_now = static_cast<double>(fresh) / static_cast<double>(done);
    const double left = seconds() * (1 - fraction) / (fraction * done_now);
    std::snprintf(number, sizeof number, ", %.0f %%, ", 100 * fraction);
    line += number + duration_text(left) + " left";
  }
  draw(line);
}

void Progress::show_bytes(std::uint64_t done, std::uint64_t total) {
  if (!due()) return;
  char text[96];
  const double megabytes = static_cast<double>(done) / 1e6;
  if (total > 0) {
    std::snprintf(text, sizeof text, "%.1f of %.1f MB, %.1f MB/s", megabytes,
                  static_cast<double>(total) / 1e6, megabytes / seconds());
  } else {
    std::snprintf(text, sizeof text, "%.1f MB, %.1f MB/s", megabytes, megabytes / seconds());
  }
  draw(text);
}

void Progress::show_step(const std::string& text) {
  if (wanted_) draw(text);
}

bool Progress::due() {
  const auto now = Clock::now();
  if (!wanted_ || now - last_ < kInterval) return false;
  last_ = now;
  return true;
}

void Progress::draw(const std::string& text) {
  put("\r\x1b[K" + text);
  drawn_ = true;
}

}  // namespace lambert
