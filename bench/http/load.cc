// A load generator of one thread, for `make bench-http`:
//   bench_http_load PORT BODIES REPLIES closed CLIENTS SECONDS
//   bench_http_load PORT BODIES REPLIES open RATE SECONDS PROBE_SECONDS
// POSTs the lines of the file BODIES to 127.0.0.1:PORT/ask, one after another and again from the
// first, over connections that are kept open.
//   closed  CLIENTS clients, each of which asks again as soon as it has its reply
//   open    RATE requests a second at times that do not depend on the replies (exponential gaps,
//   the
//           same in every run); then, while what is under way ends, one client that asks again and
//           again for PROBE_SECONDS
// Prints a line for each request: "load" or "probe", the ms from the start of the load at which it
// was due, the ms from then until its reply was complete, the status (0: none within 10 s; -1: the
// connection broke), the number of its body. REPLIES gets each different reply of status 200: the
// number of its body, how often it came, the reply. An open load waits with its clock running where
// it would need more than 1000 connections.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxConnections = 1000;
constexpr double kTimeoutMs = 10'000;
constexpr int kNoReply = 0, kBroken = -1;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

struct Request {
  bool probe = false;
  double due_ms = 0;
  double latency_ms = 0;
  int status = kNoReply;
  std::size_t body = 0;
};

struct Connection {
  int fd = -1;
  bool busy = false;
  Request request;
  std::size_t sent = 0;  // bytes of the request's head and body
  std::string received;
};

// What a complete reply says; status 0 while it is not complete.
struct Reply {
  int status = 0;
  bool keep = true;
  std::string_view body;
};

bool has_field(std::string_view head, std::string_view name, std::string_view& value) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;
       at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        std::equal(name.begin(), name.end(), line.begin(),
                   [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); })) {
      value = line.substr(name.size() + 1, line.find("\r\n") - name.size() - 1);
      value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
      return true;
    }
  }
  return false;
}

Reply parse(std::string_view received) {
  const std::size_t end = received.find("\r\n\r\n");
  if (end == std::string_view::npos) return {};
  const std::string_view head = received.substr(0, end + 2);
  std::string_view value;
  std::size_t length = 0;
  if (!has_field(head, "content-length", value)) {
    throw std::runtime_error("a reply without Content-Length: " + std::string(head));
  }
  std::from_chars(value.data(), value.data() + value.size(), length);
  if (received.size() < end + 4 + length) return {};
  Reply reply;
  std::from_chars(head.data() + 9, head.data() + 12, reply.status);  // after "HTTP/1.1 "
  reply.keep = !(has_field(head, "connection", value) && value.starts_with("close"));
  reply.body = received.substr(end + 4, length);
  return reply;
}

std::vector<std::string> requests_of(const char* path) {
  std::ifstream file(path);
  std::vector<std::string> requests;
  for (std::string line; std::getline(file, line);) {
    requests.push_back(
        "POST /ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        "Content-Length: " +
        std::to_string(line.size()) + "\r\n\r\n" + line);
  }
  if (requests.empty()) throw std::runtime_error(std::string(path) + " has no request");
  return requests;
}

class Load {
 public:
  Load(int port, const char* bodies) : requests_(requests_of(bodies)), epoll_(::epoll_create1(0)) {
    address_.sin_family = AF_INET;
    address_.sin_port = htons(static_cast<std::uint16_t>(port));
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    done_.reserve(1 << 20);
  }

  void closed(std::size_t clients, double seconds) {
    begin_ = Clock::now();
    again_until_ms_ = seconds * 1e3;
    for (std::size_t i = 0; i < clients; ++i) start({false, now_ms(), 0, 0, next_body()});
    while (busy_ > 0) poll(kTimeoutMs);
  }

  void open(double rate, double seconds, double probe_seconds) {
    begin_ = Clock::now();
    std::mt19937_64 random(1);
    std::exponential_distribution<double> gap_ms(rate / 1e3);
    const double end_ms = seconds * 1e3;
    for (double due = gap_ms(random); due < end_ms; due += gap_ms(random)) {
      while (now_ms() < due) poll(due - now_ms());
      waiting_.push_back({false, due, 0, 0, next_body()});
      start_waiting();
    }
    while (now_ms() < end_ms) poll(end_ms - now_ms());
    probe_until_ms_ = end_ms + probe_seconds * 1e3;
    if (probe_seconds > 0) waiting_.push_front({true, now_ms(), 0, 0, next_body()});
    start_waiting();
    while (busy_ > 0 || !waiting_.empty()) poll(kTimeoutMs);
  }

  void print(const char* replies_path) const {
    for (const Request& request : done_) {
      std::printf("%s\t%.3f\t%.3f\t%d\t%zu\n", request.probe ? "probe" : "load", request.due_ms,
                  request.latency_ms, request.status, request.body);
    }
    std::ofstream file(replies_path);
    for (const auto& [reply, count] : replies_) {
      file << reply.first << '\t' << count << '\t' << reply.second << '\n';
    }
    if (!file.flush()) throw std::runtime_error(std::string("cannot write ") + replies_path);
  }

 private:
  double now_ms() const {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin_).count();
  }

  std::size_t next_body() { return next_++ % requests_.size(); }

  void watch(Connection& connection, int operation, std::uint32_t events) {
    epoll_event event = {};
    event.events = events;
    event.data.ptr = &connection;
    if (::epoll_ctl(epoll_, operation, connection.fd, &event) != 0) fail("epoll_ctl");
  }

  Connection& connection() {
    if (!idle_.empty()) {
      Connection& last = *idle_.back();
      idle_.pop_back();
      if (last.fd >= 0) return last;
      return connect(last);
    }
    connections_.push_back(std::make_unique<Connection>());
    return connect(*connections_.back());
  }

  Connection& connect(Connection& connection) {
    connection.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection.fd < 0) fail("socket");
    const int one = 1;
    ::setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (::connect(connection.fd, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) !=
            0 &&
        errno != EINPROGRESS) {
      fail("connect");
    }
    watch(connection, EPOLL_CTL_ADD, EPOLLIN);
    return connection;
  }

  void start(const Request& request) {
    Connection& chosen = connection();
    chosen.busy = true;
    chosen.request = request;
    chosen.sent = 0;
    chosen.received.clear();
    ++busy_;
    send(chosen);
  }

  void start_waiting() {
    while (!waiting_.empty() && busy_ < kMaxConnections) {
      Request request = waiting_.front();
      waiting_.pop_front();
      request.latency_ms = now_ms() - request.due_ms;
      if (request.latency_ms > kTimeoutMs) {  // nobody waits for it any more
        done_.push_back(request);
      } else {
        start(request);
      }
    }
  }

  void send(Connection& connection) {
    const std::string& bytes = requests_[connection.request.body];
    const auto sent = ::send(connection.fd, bytes.data() + connection.sent,
                             bytes.size() - connection.sent, MSG_NOSIGNAL);
    if (sent > 0) connection.sent += static_cast<std::size_t>(sent);
    const bool later = sent >= 0 || errno == EAGAIN || errno == ENOTCONN || errno == EINPROGRESS;
    if (!later) return finish(connection, kBroken, false);
    watch(connection, EPOLL_CTL_MOD, connection.sent < bytes.size() ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  void receive(Connection& connection) {
    std::array<char, 16384> bytes;
    const auto count = ::recv(connection.fd, bytes.data(), bytes.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    if (!connection.busy) return close(connection);
    if (count <= 0) return finish(connection, kBroken, false);
    connection.received.append(bytes.data(), static_cast<std::size_t>(count));
    const Reply reply = parse(connection.received);
    if (reply.status == 0) return;
    if (reply.status == 200) {
      ++replies_[{connection.request.body, std::string(reply.body)}];
    }
    finish(connection, reply.status, reply.keep);
  }

  void close(Connection& connection) {
    ::close(connection.fd);
    connection.fd = -1;
  }

  void finish(Connection& connection, int status, bool keep) {
    Request request = connection.request;
    request.latency_ms = now_ms() - request.due_ms;
    request.status = status;
    done_.push_back(request);
    if (!keep) close(connection);
    connection.busy = false;
    idle_.push_back(&connection);
    --busy_;
    if (now_ms() < (request.probe ? probe_until_ms_ : again_until_ms_)) {
      start({request.probe, now_ms(), 0, 0, next_body()});
    }
    start_waiting();
  }

  void poll(double most_ms) {
    std::array<epoll_event, 64> events;
    const auto ns = static_cast<std::int64_t>(std::clamp(most_ms, 0.0, 100.0) * 1e6);
    const timespec timeout = {ns / 1'000'000'000, ns % 1'000'000'000};
    const int count = ::epoll_pwait2(epoll_, events.data(), events.size(), &timeout, nullptr);
    if (count < 0 && errno != EINTR) fail("epoll_pwait2");
    for (int i = 0; i < count; ++i) {
      auto& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (connection.fd >= 0 && connection.busy &&
          connection.sent < requests_[connection.request.body].size()) {
        send(connection);
      }
      if (connection.fd >= 0) receive(connection);
    }
    if (now_ms() - looked_ms_ > 100) end_late_ones();
  }

  void end_late_ones() {
    looked_ms_ = now_ms();
    for (std::size_t i = 0; i < connections_.size(); ++i) {  // finish() may add some
      Connection& connection = *connections_[i];
      if (connection.busy && looked_ms_ - connection.request.due_ms > kTimeoutMs) {
        finish(connection, kNoReply, false);
      }
    }
  }

  std::vector<std::string> requests_;
  int epoll_;
  sockaddr_in address_ = {};
  Clock::time_point begin_;
  std::size_t next_ = 0, busy_ = 0;
  double again_until_ms_ = 0, probe_until_ms_ = 0, looked_ms_ = 0;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> idle_;  // not busy; with fd -1 not connected
  std::deque<Request> waiting_;
  std::vector<Request> done_;
  std::map<std::pair<std::size_t, std::string>, std::size_t> replies_;
};

double number(const char* text) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (end == text || *end != '\0' || !(value >= 0 && value <= 1e6)) {
    throw std::invalid_argument(std::string("'") + text + "', expected a number from 0 to 1e6");
  }
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string_view kind = argc > 4 ? argv[4] : "";
    if (!(kind == "closed" && argc == 7) && !(kind == "open" && argc == 8)) {
      std::fprintf(stderr,
                   "usage: bench_http_load PORT BODIES REPLIES closed CLIENTS SECONDS\n"
                   "       bench_http_load PORT BODIES REPLIES open RATE SECONDS "
                   "PROBE_SECONDS\n");
      return 2;
    }
    Load load(static_cast<int>(number(argv[1])), argv[2]);
    if (kind == "closed") {
      load.closed(static_cast<std::size_t>(number(argv[5])), number(argv[6]));
    } else {
      load.open(number(argv[5]), number(argv[6]), number(argv[7]));
    }
    load.print(argv[3]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_http_load: %s\n", error.what());
    return 1;
  }
  return 0;
}
