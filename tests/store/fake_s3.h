// A server that answers as S3 does for one object, and breaks off, stalls and lies as a test says.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "../net/loopback.h"
#include "net/environment.h"

namespace lambert {

inline Environment environment_of(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

// The value of a header of a request, "" when it is not there.
inline std::string header_of(const std::string& request, const std::string& name) {
  const std::size_t at = request.find("\r\n" + name + ": ");
  if (at == request.npos) return "";
  const std::size_t begin = at + name.size() + 4;
  return request.substr(begin, request.find("\r\n", begin) - begin);
}

inline std::string xml_error(const std::string& code) {
  return "<?xml version=\"1.0\"?><Error><Code>" + code +
         "</Code><Message>so it is</Message></Error>";
}

inline std::string reply(const std::string& status, const std::string& headers,
                         const std::string& body) {
  return "HTTP/1.1 " + status + "\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class FakeS3 {
 public:
  // Called with each request before it is answered; true when it has been dealt with.
  using Fault = std::function<bool(FakeS3&, Peer&, const std::string& request)>;

  FakeS3(std::string content, Fault fault = {})
      : content_(std::move(content)), fault_(std::move(fault)), server_([this](Peer& peer) {
          for (;;) answer(peer);
        }) {}

  std::string endpoint() const { return server_.url().origin(); }
  std::map<std::string, std::string> variables() const {
    return {{"AWS_ACCESS_KEY_ID", "AKIAFAKE"},
            {"AWS_SECRET_ACCESS_KEY", "canary-secret-of-the-fake"},
            {"AWS_REGION", "us-east-1"},
            {"AWS_EC2_METADATA_DISABLED", "true"},
            {"AWS_ENDPOINT_URL_S3", endpoint()}};
  }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  // As it should be: HEAD, or GET with a range and the right ETag.
  void answer_rightly(Peer& peer, const std::string& request) const {
    const std::string headers = "ETag: \"one\"\r\n";
    if (request.starts_with("HEAD ")) {
      peer.send("HTTP/1.1 200 OK\r\n" + headers +
                "Content-Length: " + std::to_string(content_.size()) + "\r\n\r\n");
      return;
    }
    const std::string range = header_of(request, "Range"), match = header_of(request, "If-Match");
    if (!match.empty() && match != "\"one\"") {
      return peer.send(reply("412 Precondition Failed", "", xml_error("PreconditionFailed")));
    }
    std::size_t begin = 0, end = 0;
    if (std::sscanf(range.c_str(), "bytes=%zu-%zu", &begin, &end) != 2 || end < begin ||
        end >= content_.size()) {
      return peer.send(reply("416 Range Not Satisfiable", "", xml_error("InvalidRange")));
    }
    peer.send(reply("206 Partial Content", headers + content_range(begin, end),
                    content_.substr(begin, end - begin + 1)));
  }
  std::string content_range(std::size_t begin, std::size_t end) const {
    return "Content-Range: bytes " + std::to_string(begin) + "-" + std::to_string(end) + "/" +
           std::to_string(content_.size()) + "\r\n";
  }
  const std::string& content() const { return content_; }

 private:
  void answer(Peer& peer) {
    const std::string request = peer.read_request();
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    if (fault_ && fault_(*this, peer, request)) return;
    answer_rightly(peer, request);
  }

  const std::string content_;
  const Fault fault_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  Loopback server_;  // last: its threads use the others
};

}  // namespace lambert
