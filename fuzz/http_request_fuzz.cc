// Any bytes as HTTP requests on one connection: refused, or parsed to the same requests whether
// they come at once or in pieces. The first byte says how large the pieces are.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <tuple>
#include <vector>

#include "net/http_parser.h"

namespace {

using Request = std::tuple<std::string, std::string, std::size_t, std::string, bool>;

struct Outcome {
  std::vector<Request> requests;
  int status = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome parse(std::span<const std::byte> data, std::size_t piece) {
  Outcome outcome;
  std::size_t begin = 0, end = 0;
  try {
    bool more = true;
    while (more) {
      lambert::RequestParser parser;
      std::string body;
      while (!parser.done()) {
        const std::size_t taken =
            parser.put(data.subspan(begin, end - begin), [&](std::span<const std::byte> bytes) {
              body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            });
        if (taken > end - begin) std::abort();
        begin += taken;
        if (taken > 0) continue;
        if (end == data.size()) return outcome;  // it breaks off
        end = std::min(data.size(), end + piece);
      }
      const lambert::HttpRequestHead& head = parser.head();
      if (head.target.empty() || head.method.empty()) std::abort();
      more = parser.keep_alive();
      outcome.requests.emplace_back(head.method, head.target, head.headers.size(), body, more);
    }
  } catch (const lambert::BadHttpRequest& error) {
    outcome.status = error.status();
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto requests = std::as_bytes(std::span(data + 1, size - 1));
  const Outcome whole = parse(requests, std::max<std::size_t>(requests.size(), 1));
  if (parse(requests, 1 + data[0] / 8U) != whole) std::abort();
  return 0;
}
