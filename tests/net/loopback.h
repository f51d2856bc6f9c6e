// A server on the loopback interface whose every move a test decides, and a clock with which a
// stalling server takes no time.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "net/clock.h"
#include "net/url.h"

namespace lambert {

// The server's side of one connection. A client that goes away ends what the server does.
class Peer {
 public:
  struct Gone {};  // thrown when the client has closed

  Peer(int fd, int number) : fd_(fd), number_(number) {}
  int number() const { return number_; }  // of the connection, from 0
  int descriptor() const { return fd_; }

  // Head and body of the next request.
  std::string read_request() {
    std::size_t head = std::string::npos;
    while ((head = received_.find("\r\n\r\n")) == std::string::npos) receive();
    std::size_t body = 0;
    const std::size_t length = received_.find("\r\nContent-Length: ");
    if (length < head) body = std::strtoul(received_.c_str() + length + 18, nullptr, 10);
    while (received_.size() < head + 4 + body) receive();
    std::string request = received_.substr(0, head + 4 + body);
    received_.erase(0, request.size());
    return request;
  }

  void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) throw Gone{};
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // Sends nothing more and says so out of band, which TestClock understands as "time passes".
  void stall() {
    ::send(fd_, "!", 1, MSG_OOB | MSG_NOSIGNAL);
    for (;;) receive();
  }

  // Closes with RST, so that the client's next read fails.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

  // Until the client closes.
  void wait_for_end() {
    try {
      for (;;) receive();
    } catch (const Gone&) {
    }
  }

 private:
  void receive() {
    char buffer[16384];
    const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got <= 0) throw Gone{};
    received_.append(buffer, static_cast<std::size_t>(got));
  }

  int fd_, number_;
  std::string received_;
};

// Runs `handler` for each connection, in a thread of its own; its return closes the connection.
class Loopback {
 public:
  using Handler = std::function<void(Peer&)>;

  explicit Loopback(Handler handler)
      : handler_(std::move(handler)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      std::perror("loopback server");
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }

  ~Loopback() {
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    ::close(listener_);
  }

  std::uint16_t port() const { return port_; }
  Url url() const { return {false, "127.0.0.1", port_, "/"}; }
  int connections() const { return connections_; }

 private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd, number = connections_++] {
        Peer peer(fd, number);
        try {
          handler_(peer);
        } catch (const Peer::Gone&) {
        }
        const std::lock_guard closing(mutex_);
        std::erase(open_, fd);
        ::close(fd);
      });
    }
  }

  Handler handler_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::mutex mutex_;  // over those below
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread accepting_;
};

// Time that moves only by waiting: sleeping takes none, and a wait for a socket times out when its
// server stalls. A test that would wait for ever is ended.
class TestClock final : public Clock {
 public:
  TimePoint now() const override {
    return TimePoint(std::chrono::hours(1)) + std::chrono::nanoseconds(passed_);
  }
  WallTime wall_time() const override {
    return WallTime(std::chrono::seconds(1'700'000'000)) +
           std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(passed_));
  }
  Wait wait(int fd, short events, TimePoint deadline, const Cancellation* cancel) const override {
    pollfd entries[2] = {{fd, static_cast<short>(events | POLLPRI), 0},
                         {cancel != nullptr ? cancel->descriptor() : -1, POLLIN, 0}};
    const bool sleeps = fd < 0;
    const int ready = ::poll(entries, 2, sleeps ? 0 : 60'000);
    if (ready == 0 && !sleeps) {
      std::fprintf(stderr, "TestClock: nothing happened for a minute\n");
      std::abort();
    }
    if (entries[1].revents != 0) return Wait::kCancelled;
    if ((entries[0].revents & ~POLLPRI) != 0) return Wait::kReady;
    for (std::int64_t before = passed_; deadline != kNoDeadline && now() < deadline;) {
      const std::int64_t after =
          std::chrono::nanoseconds(deadline - TimePoint(std::chrono::hours(1))).count();
      if (passed_.compare_exchange_weak(before, std::max(before, after))) break;
    }
    return Wait::kTimeout;
  }
  void advance(std::chrono::nanoseconds time) const { passed_ += time.count(); }

 private:
  mutable std::atomic<std::int64_t> passed_{0};
};

}  // namespace lambert
