#include "progress.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "output.h"

namespace lambert {

namespace {

constexpr auto kInterval = std::chrono::milliseconds(200);

void draw(const char* text, std::size_t size) {
  [[maybe_unused]] const ssize_t put = ::write(STDERR_FILENO, text, size);
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
  if (drawn_) draw("\r\x1b[K", 4);
}

double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void Progress::show(std::size_t done, std::size_t fresh, std::size_t failed, double fraction) {
  const auto now = Clock::now();
  if (!wanted_ || now - last_ < kInterval) return;
  last_ = now;
  const double rate = static_cast<double>(fresh) / seconds();
  char number[48];
  std::snprintf(number, sizeof number, ", %.1f/s", rate);
  std::string line = "\r\x1b[K" + std::to_string(done) + " questions" + number;
  if (failed > 0) line += ", " + std::to_string(failed) + " failed";
  if (fraction > 0) {
    const double done_now = static_cast<double>(fresh) / static_cast<double>(done);
    const double left = seconds() * (1 - fraction) / (fraction * done_now);
    std::snprintf(number, sizeof number, ", %.0f %%, ", 100 * fraction);
    line += number + duration_text(left) + " left";
  }
  draw(line.data(), line.size());
  drawn_ = true;
}

}  // namespace lambert
