// What the server counts, in Prometheus' text format (version 0.0.4). Names and buckets of HTTP are
// those of OpenTelemetry's semantic conventions. Labels have few values: a path is that of the
// table of routes, a method one of HTTP's own.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "serve/ask_request.h"

namespace lambert {

// Not thread-safe.
class Histogram {
 public:
  explicit Histogram(std::span<const double> bounds)
      : bounds_(bounds), counts_(bounds.size() + 1) {}
  void observe(double value);
  // name_bucket{labels,le="..."} and so on; `labels` without braces, may be empty.
  void append(std::string& out, std::string_view name, const std::string& labels) const;

 private:
  std::span<const double> bounds_;     // upper ones; static
  std::vector<std::uint64_t> counts_;  // (bounds + 1), each of its bucket alone
  double sum_ = 0;
};

enum class Rejection {
  kQueueFull,
  kLoading,
  kUnauthorized,
  kTooLarge,
  kTimeout,
  kBadRequest,
  kConnections
};

// What is true at the moment of a scrape.
struct MetricsSnapshot {
  bool ready = false;
  std::size_t connections = 0, active_requests = 0, queue_depth = 0, queue_capacity = 0;
  double expected_wait_seconds = 0, model_load_seconds = 0;
  std::string model_id, model_type, precision, isa;  // "" while the model is loading
};

// Thread-safe.
class Metrics {
 public:
  // `route` is of static duration.
  void request(std::string_view method, std::string_view route, int status, double seconds,
               const AskStats& stats);
  void rejected(Rejection reason);
  std::string text(const MetricsSnapshot& snapshot) const;

 private:
  using Labels = std::tuple<std::string_view, std::string_view, int>;  // route, method, status

  mutable std::mutex mutex_;
  std::map<Labels, Histogram> durations_;
  std::array<Histogram, 6> questions_ = make_histograms();
  std::array<std::uint64_t, 7> rejections_{};

  static std::array<Histogram, 6> make_histograms();
};

}  // namespace lambert
