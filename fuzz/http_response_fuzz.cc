// Any bytes as an HTTP response: refused, or parsed to the same head and body whether they come at
// once or in pieces. The first byte says how large the pieces are, and whether there is a body.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "net/http_parser.h"
#include "net/network_error.h"

namespace {

struct Outcome {
  bool accepted = false;
  int status = 0;
  std::size_t headers = 0;
  std::string body;
  bool operator==(const Outcome&) const = default;
};

Outcome parse(std::span<const std::byte> data, bool without_body, std::size_t piece) {
  Outcome outcome;
  try {
    lambert::ResponseParser parser(without_body);
    std::size_t begin = 0, end = 0;
    while (!parser.done()) {
      const std::size_t taken =
          parser.put(data.subspan(begin, end - begin), [&](std::span<const std::byte> bytes) {
            outcome.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
          });
      if (taken > end - begin) std::abort();
      begin += taken;
      if (taken > 0) continue;
      if (end == data.size()) {
        parser.put_end();
        if (!parser.done()) std::abort();
        break;
      }
      end = std::min(data.size(), end + piece);
    }
    outcome.accepted = true;
    outcome.status = parser.head().status;
    outcome.headers = parser.head().headers.size();
  } catch (const lambert::NetworkError&) {
    outcome.body.clear();  // how much came before the error may differ
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto response = std::as_bytes(std::span(data + 1, size - 1));
  const bool without_body = (data[0] & 1) != 0;
  const Outcome whole = parse(response, without_body, response.size());
  if (parse(response, without_body, 1 + data[0] / 8U) != whole) std::abort();
  return 0;
}
