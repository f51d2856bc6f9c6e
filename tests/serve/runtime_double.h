// A double of the Lambda Runtime API that does what a test's script says.
#pragma once

#include <atomic>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "../net/loopback.h"
#include "net/clock.h"

namespace lambert::test {

inline std::string http(int status, const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " Status\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// What /next says: an event under a request id, with Lambda's deadline in milliseconds since 1970.
inline std::string next_event(const std::string& id, const std::string& event,
                              const std::string& deadline = "32503680000000",
                              const std::string& headers = "") {
  return http(200, event,
              "Lambda-Runtime-Aws-Request-Id: " + id + "\r\nLambda-Runtime-Deadline-Ms: " +
                  deadline + "\r\nContent-Type: application/json\r\n" + headers);
}

// What arrived by POST.
struct Post {
  std::string path;  // behind /2018-06-01/runtime/
  std::string head, body;
};

// Replies to each GET of /next with the next of `turns`; an empty one resets the connection, and
// one that begins with '!' is sent without that and then the connection is closed. When all were
// taken and each of `pollers` asks for more, it cancels `stop`, with which the runtime under test
// ends. A POST is answered 202, or as `replies` says for its path; there too an empty one resets.
class RuntimeDouble {
 public:
  RuntimeDouble(
      std::vector<std::string> turns, const Cancellation& stop,
      std::map<std::string, std::string> replies = {},
      std::function<void(const Post&)> on_post = [](const Post&) {}, int pollers = 1,
      std::function<void(std::size_t)> before_turn = [](std::size_t) {})
      : turns_(turns.begin(), turns.end()),
        stop_(stop),
        replies_(std::move(replies)),
        on_post_(std::move(on_post)),
        pollers_(pollers),
        before_turn_(std::move(before_turn)),
        server_([this](Peer& peer) { serve(peer); }) {}

  std::string api() const { return "127.0.0.1:" + std::to_string(server_.port()); }

  std::vector<Post> posts() const {
    const std::lock_guard lock(mutex_);
    return posts_;
  }
  std::size_t turns_left() const {
    const std::lock_guard lock(mutex_);
    return turns_.size();
  }
  int connections() const { return server_.connections(); }

 private:
  void serve(Peer& peer) {
    constexpr std::string_view kRoot = "/2018-06-01/runtime/";
    for (;;) {
      const std::string request = peer.read_request();
      const std::size_t path = request.find(kRoot);
      if (path == std::string::npos) {
        peer.send(http(404, ""));
        continue;
      }
      const std::size_t begin = path + kRoot.size();
      const std::string name = request.substr(begin, request.find(' ', begin) - begin);
      const std::string reply =
          request.starts_with("GET ") ? take_turn(peer, name) : take_post(name, request);
      if (reply.empty()) return peer.reset();
      if (reply.front() == '!') return peer.send(std::string_view(reply).substr(1));
      peer.send(reply);
    }
  }

  std::string take_turn(Peer& peer, const std::string& name) {
    if (name != "invocation/next") return http(404, "");
    before_turn_(asked_++);
    {
      const std::lock_guard lock(mutex_);
      if (!turns_.empty()) {
        std::string turn = std::move(turns_.front());
        turns_.pop_front();
        return turn;
      }
      if (++waiting_ == pollers_) stop_.cancel();
    }
    peer.wait_for_end();
    return "";
  }

  std::string take_post(const std::string& name, const std::string& request) {
    const std::size_t head = request.find("\r\n\r\n");
    const std::lock_guard lock(mutex_);
    posts_.push_back({name, request.substr(0, head), request.substr(head + 4)});
    on_post_(posts_.back());
    const auto reply = replies_.find(name);
    return reply == replies_.end() ? http(202, R"({"status":"OK"})") : reply->second;
  }

  mutable std::mutex mutex_;  // over turns_, posts_ and waiting_
  std::deque<std::string> turns_;
  std::vector<Post> posts_;
  int waiting_ = 0;
  std::atomic<std::size_t> asked_{0};  // for a turn
  const Cancellation& stop_;
  const std::map<std::string, std::string> replies_;
  const std::function<void(const Post&)> on_post_;  // before the reply
  const int pollers_;
  const std::function<void(std::size_t)> before_turn_;  // with its number, from 0
  Loopback server_;                                     // last: its threads use the others
};

}  // namespace lambert::test
