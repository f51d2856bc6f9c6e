#include "net/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nss.h>
#include <poll.h>
#include <resolv.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "base/error.h"
#include "net/network_error.h"

namespace lambert {

namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Addresses resolve(const std::string& host, std::uint16_t port, const std::string& peer) {
  static const int configured = ::__nss_configure_lookup("hosts", "files dns");
  static_cast<void>(configured);
  if (::res_init() == 0) {  // of this thread
    _res.retrans = 2;
    _res.retry = 2;
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int status = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (status != 0) {
    const bool passing = status == EAI_AGAIN || status == EAI_SYSTEM || status == EAI_MEMORY;
    network_fail(passing ? Retry::kYes : Retry::kNo, peer,
                 ": the host name cannot be resolved: ", ::gai_strerror(status));
  }
  return Addresses(list);
}

std::size_t count(const addrinfo* list) {
  std::size_t number = 0;
  for (; list != nullptr; list = list->ai_next) ++number;
  return number;
}

}  // namespace

Socket::Socket(int family, std::string peer, const Waiting& waiting)
    : fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
      peer_(std::move(peer)),
      waiting_(waiting) {
  if (fd_ < 0) network_fail(Retry::kNo, peer_, ": no socket: ", std::strerror(errno));
}

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

Socket::Socket(Socket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), peer_(std::move(other.peer_)), waiting_(other.waiting_) {}

Socket Socket::connect(const std::string& host, std::uint16_t port, TimePoint deadline,
                       const Waiting& waiting) {
  const std::string peer = quote(host, 255) + " port " + std::to_string(port);
  const Addresses list = resolve(host, port, peer);
  std::size_t left = count(list.get());
  for (const addrinfo* address = list.get();; address = address->ai_next, --left) {
    try {
      const TimePoint now = waiting.clock->now();
      const TimePoint share = deadline == kNoDeadline || deadline <= now || left == 1
                                  ? deadline
                                  : now + (deadline - now) / static_cast<TimePoint::rep>(left);
      Socket socket(address->ai_family, peer, waiting);
      socket.finish_connect(address->ai_addr, address->ai_addrlen, share);
      const int on = 1;  // requests are written whole: nothing is gained by collecting
      ::setsockopt(socket.fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return socket;
    } catch (const NetworkError&) {
      if (left <= 1) throw;
    }
  }
}

Socket Socket::connect_unix(const std::string& path, TimePoint deadline, const Waiting& waiting) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    fail(ErrorCode::kInvalidArgument, "the path of a socket ", quote(path), " has ", path.size(),
         " bytes, expected 1 to ", sizeof address.sun_path - 1);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  Socket socket(AF_UNIX, quote(path, 255), waiting);
  socket.finish_connect(&address, sizeof address, deadline);
  return socket;
}

void Socket::finish_connect(const void* address, std::size_t size, TimePoint deadline) {
  int error = 0;
  if (::connect(fd_, static_cast<const sockaddr*>(address), static_cast<socklen_t>(size)) != 0) {
    error = errno;
    if (error == EINPROGRESS || error == EINTR) {
      wait(POLLOUT, deadline, "connecting");
      socklen_t length = sizeof error;
      ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
    }
  }
  if (error != 0) {
    network_fail(Retry::kYes, peer_, ": cannot be connected to: ", std::strerror(error));
  }
}

void Socket::wait(short events, TimePoint deadline, const char* doing) const {
  switch (waiting_.clock->wait(fd_, events, deadline, waiting_.cancel)) {
    case Clock::Wait::kReady: return;
    case Clock::Wait::kCancelled: fail(ErrorCode::kCancelled, peer_, ": cancelled while ", doing);
    case Clock::Wait::kTimeout: network_fail(Retry::kYes, peer_, ": timed out while ", doing);
  }
}

std::size_t Socket::read(std::span<std::byte> buffer, TimePoint deadline) {
  for (;;) {
    wait(POLLIN, deadline, "waiting for a reply");
    const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR && errno != EAGAIN) {
      throw ConnectionLost(peer_ + ": the connection broke: " + std::strerror(errno));
    }
  }
}

void Socket::write(std::span<const std::byte> bytes, TimePoint deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      wait(POLLOUT, deadline, "sending a request");
    } else if (errno != EINTR) {
      throw ConnectionLost(peer_ + ": the connection broke: " + std::strerror(errno));
    }
  }
}

bool Socket::is_quiet() {
  char byte = 0;
  return ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

}  // namespace lambert
