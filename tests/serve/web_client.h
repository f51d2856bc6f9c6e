// A web server in a thread, and a client that sends it any bytes.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "net/http_parser.h"
#include "net/network_error.h"
#include "serve/web_server.h"

namespace lambert::test {

inline WebServerSettings web_settings() {
  WebServerSettings settings;
  settings.http.port = 0;
  settings.queue.threads = 4;
  settings.service.cors_origin.clear();
  settings.service.model_id = "tiny";
  return settings;
}

inline Answerer open_tiny() {
  return Answerer(
      {.model = LAMBERT_SOURCE_DIR "/tests/model/data/tiny/distilbert_gelu", .threads = 2});
}

// Serves until it is destroyed. With `wait`, it has loaded its model when it is made.
class RunningServer {
 public:
  explicit RunningServer(WebServerSettings settings = web_settings(),
                         WebServer::Open open = open_one, bool wait = true)
      : fd_(::open("/dev/null", O_WRONLY | O_CLOEXEC)),
        server_(std::move(settings), Log({.level = LogLevel::kInfo}, fd_)),
        thread_(
            [this, open] { server_.run(open, [this](const Answerer&) { ready_.set_value(); }); }) {
    if (wait) wait_until_ready();
  }
  ~RunningServer() {
    server_.drain();
    thread_.join();
    ::close(fd_);
  }

  static std::unique_ptr<const Answerer> open_one() {
    return std::make_unique<const Answerer>(open_tiny());
  }
  void wait_until_ready() { ready_.get_future().wait(); }
  WebServer& server() { return server_; }

 private:
  int fd_;
  std::promise<void> ready_;
  WebServer server_;
  std::thread thread_;
};

class WebClient {
 public:
  explicit WebClient(const WebServer& server) {
    const std::string url = server.url();
    if (url.starts_with("unix:")) {
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      url.copy(address.sun_path, sizeof address.sun_path - 1, 5);
      connect(AF_UNIX, address);
      return;
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect(AF_INET, address);
  }
  ~WebClient() { ::close(fd_); }
  WebClient(const WebClient&) = delete;
  WebClient& operator=(const WebClient&) = delete;

  void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the server has closed: the reply says why
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // The next response; status 0 where the connection ends before it.
  HttpResponse read(bool of_head = false) {
    ResponseParser parser(of_head);
    HttpResponse response;
    const auto add = [&](std::span<const std::byte> bytes) {
      response.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    while (!parser.done()) {
      const std::size_t taken = parser.put(std::as_bytes(std::span(kept_)), add);
      kept_.erase(0, taken);
      if (taken > 0 || parser.done()) continue;
      if (receive()) continue;
      if (!parser.head_done()) return {};
      parser.put_end();
    }
    response.head = parser.head();
    return response;
  }

  HttpResponse ask(std::string_view request) {
    send(request);
    return read();
  }
  bool at_end() { return kept_.empty() && !receive(); }
  void leave() { ::shutdown(fd_, SHUT_RDWR); }

 private:
  template <typename Address>
  void connect(int family, const Address& address) {
    fd_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int status = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    EXPECT_EQ(status, 0);
  }
  bool receive() {
    char buffer[16384];
    const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got > 0) kept_.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }

  int fd_ = -1;
  std::string kept_;
};

inline std::string post(std::string_view path, std::string_view body,
                        const std::string& headers = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

inline std::string get(std::string_view path, const std::string& headers = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n";
}

}  // namespace lambert::test
