#include "serve/metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace lambert {

namespace {

constexpr double kSeconds[] = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                               0.5,   0.75, 1,     2.5,  5,     7.5, 10};
constexpr double kShortSeconds[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                    0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};
constexpr double kWindows[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
constexpr double kTokens[] = {16, 32, 64, 128, 256, 384, 512, 1024, 2048, 4096, 16384, 65536};

struct Family {
  std::string_view name, help;
  std::span<const double> bounds;
};
// Of requests that were answered.
constexpr Family kQuestionFamilies[] = {
    {"lambert_queue_duration_seconds", "Time until the engine took a request's first window.",
     kShortSeconds},
    {"lambert_tokenize_duration_seconds", "Time of tokenization.", kShortSeconds},
    {"lambert_inference_duration_seconds", "Time of the model, the request's share of its batches.",
     kShortSeconds},
    {"lambert_windows_per_request", "Windows that a request's texts were cut into.", kWindows},
    {"lambert_input_tokens", "Tokens of a request's windows.", kTokens},
    {"lambert_batch_windows", "Windows, of any requests, that were computed together.", kWindows}};

constexpr std::string_view kReasons[] = {"queue_full", "loading",     "unauthorized", "too_large",
                                         "timeout",    "bad_request", "connections"};

void append_number(std::string& out, double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, end);
}

void append_head(std::string& out, std::string_view name, std::string_view type,
                 std::string_view help) {
  out += "# HELP " + std::string(name) + ' ' + std::string(help) + "\n# TYPE " + std::string(name) +
         ' ' + std::string(type) + '\n';
}

void append_value(std::string& out, std::string_view name, std::string_view type,
                  std::string_view help, double value, const std::string& labels = "") {
  append_head(out, name, type, help);
  out += std::string(name) + (labels.empty() ? "" : '{' + labels + '}') + ' ';
  append_number(out, value);
  out += '\n';
}

std::string label(std::string_view name, std::string_view value) {
  std::string out = std::string(name) + "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string_view known_method(std::string_view method) {
  for (const std::string_view known :
       {"GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"}) {
    if (method == known) return known;
  }
  return "_OTHER";
}

// Of /proc/self/stat, by its number in proc(5), from 3 on; 0 where there is none.
double process_field(int number) {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream rest(text.substr(std::min(text.size(), text.rfind(')') + 2)));
  std::string field;
  for (int i = 3; i <= number && rest >> field; ++i) {
  }
  return rest ? std::strtod(field.c_str(), nullptr) : 0;
}

double boot_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  double value = 0;
  while (file >> word) {
    if (word == "btime" && file >> value) return value;
  }
  return 0;
}

void append_process(std::string& out) {
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  static const double started = boot_time() + process_field(22) / ticks;
  std::error_code failure;
  const auto files = std::filesystem::directory_iterator("/proc/self/fd", failure);
  const auto open_fds = failure ? 0 : std::distance(begin(files), end(files)) - 1;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  append_value(out, "process_cpu_seconds_total", "counter", "User and system CPU time.",
               (process_field(14) + process_field(15)) / ticks);
  append_value(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
               process_field(24) * page);
  append_value(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.", process_field(23));
  append_value(out, "process_open_fds", "gauge", "Open file descriptors.",
               static_cast<double>(open_fds));
  append_value(out, "process_max_fds", "gauge", "Limit of open file descriptors.",
               static_cast<double>(limit.rlim_cur));
  append_value(out, "process_threads", "gauge", "Threads.", process_field(20));
  append_value(out, "process_start_time_seconds", "gauge", "Start, in seconds since 1970.",
               started);
}

}  // namespace

void Histogram::observe(double value) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  ++counts_[static_cast<std::size_t>(bucket)];
  sum_ += value;
}

void Histogram::append(std::string& out, std::string_view name, const std::string& labels) const {
  std::string bucket = std::string(name) + "_bucket{" + labels;
  bucket += labels.empty() ? "le=\"" : ",le=\"";
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    count += counts_[i];
    out += bucket;
    if (i < bounds_.size()) {
      append_number(out, bounds_[i]);
    } else {
      out += "+Inf";
    }
    out += "\"} " + std::to_string(count) + '\n';
  }
  const std::string braces = labels.empty() ? "" : '{' + labels + '}';
  out += std::string(name) + "_sum" + braces + ' ';
  append_number(out, sum_);
  out += '\n' + std::string(name) + "_count" + braces + ' ' + std::to_string(count) + '\n';
}

std::array<Histogram, 6> Metrics::make_histograms() {
  const auto make = [](std::size_t i) { return Histogram(kQuestionFamilies[i].bounds); };
  return {make(0), make(1), make(2), make(3), make(4), make(5)};
}

void Metrics::request(std::string_view method, std::string_view route, int status, double seconds,
                      const AskStats& stats) {
  const std::lock_guard lock(mutex_);
  const Labels labels{route.empty() ? "_OTHER" : route, known_method(method), status};
  durations_.try_emplace(labels, kSeconds).first->second.observe(seconds);
  if (stats.windows == 0) return;
  const double values[] = {stats.queue_ms / 1e3,
                           stats.tokenize_ms / 1e3,
                           stats.compute_ms / 1e3,
                           static_cast<double>(stats.windows),
                           static_cast<double>(stats.tokens),
                           static_cast<double>(stats.batch_windows)};
  for (std::size_t i = 0; i < questions_.size(); ++i) questions_[i].observe(values[i]);
}

void Metrics::rejected(Rejection reason) {
  const std::lock_guard lock(mutex_);
  ++rejections_[static_cast<std::size_t>(reason)];
}

std::string Metrics::text(const MetricsSnapshot& now) const {
  std::string out;
  const std::lock_guard lock(mutex_);
  constexpr std::string_view kDuration = "http_server_request_duration_seconds";
  append_head(out, kDuration, "histogram", "Time from a whole request to its reply.");
  for (const auto& [labels, histogram] : durations_) {
    const auto& [route, method, status] = labels;
    histogram.append(out, kDuration,
                     label("http_request_method", method) + ',' + label("http_route", route) + ',' +
                         label("http_response_status_code", std::to_string(status)));
  }
  for (std::size_t i = 0; i < questions_.size(); ++i) {
    const Family& family = kQuestionFamilies[i];
    append_head(out, family.name, "histogram", family.help);
    questions_[i].append(out, family.name, "");
  }
  constexpr std::string_view kRejected = "lambert_requests_rejected_total";
  append_head(out, kRejected, "counter", "Requests that were refused before they were read.");
  for (std::size_t i = 0; i < rejections_.size(); ++i) {
    out += std::string(kRejected) + '{' + label("reason", kReasons[i]) + "} " +
           std::to_string(rejections_[i]) + '\n';
  }
  const auto gauge = [&](std::string_view name, std::string_view help, double value) {
    append_value(out, name, "gauge", help, value);
  };
  gauge("http_server_active_requests", "Requests that wait for their reply.",
        static_cast<double>(now.active_requests));
  gauge("lambert_connections", "Open connections.", static_cast<double>(now.connections));
  gauge("lambert_queue_depth", "Requests that wait for a thread.",
        static_cast<double>(now.queue_depth));
  gauge("lambert_queue_capacity", "Requests that may wait; further ones are refused.",
        static_cast<double>(now.queue_capacity));
  gauge("lambert_expected_wait_seconds", "Until the turn of a request that comes now, by estimate.",
        now.expected_wait_seconds);
  gauge("lambert_ready", "1 when questions are answered.", now.ready ? 1 : 0);
  append_value(out, "lambert_build_info", "gauge", "The program.", 1,
               label("version", LAMBERT_VERSION) + ',' + label("compiler", "gcc " __VERSION__));
  if (!now.model_type.empty()) {
    gauge("lambert_model_load_duration_seconds", "Time that loading the model took.",
          now.model_load_seconds);
    append_value(out, "lambert_model_info", "gauge", "The model.", 1,
                 label("model", now.model_id) + ',' + label("model_type", now.model_type) + ',' +
                     label("precision", now.precision) + ',' + label("isa", now.isa));
  }
  append_process(out);
  return out;
}

}  // namespace lambert
