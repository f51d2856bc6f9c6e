// TCP and Unix stream sockets with deadlines.
#pragma once

#include <cstdint>
#include <string>

#include "net/connection.h"

namespace lambert {

// How a connection waits. The objects must outlive it; `cancel` may be null.
struct Waiting {
  const Clock* clock = &real_clock();
  const Cancellation* cancel = nullptr;
};

class Socket final : public Connection {
 public:
  // Names are resolved by /etc/hosts and DNS alone, so that a static binary loads no modules of the
  // host; every address is tried, each with its share of the time that is left. The resolver itself
  // keeps to its own limits (2 tries of 2 s for each server).
  static Socket connect(const std::string& host, std::uint16_t port, TimePoint deadline,
                        const Waiting& waiting = {});
  static Socket connect_unix(const std::string& path, TimePoint deadline,
                             const Waiting& waiting = {});
  ~Socket() override;
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&&) = delete;

  std::size_t read(std::span<std::byte> buffer, TimePoint deadline) override;
  void write(std::span<const std::byte> bytes, TimePoint deadline) override;
  bool is_quiet() override;

 private:
  Socket(int family, std::string peer, const Waiting& waiting);
  void finish_connect(const void* address, std::size_t size, TimePoint deadline);
  void wait(short events, TimePoint deadline, const char* doing) const;

  int fd_;
  std::string peer_;  // for messages
  Waiting waiting_;
};

}  // namespace lambert
