#include "net/redirect.h"

#include "base/error.h"
#include "net/network_error.h"

namespace lambert {

namespace {

constexpr int kMaxRedirects = 5;

Url locate(const Url& from, const std::string& location) {
  if (location.starts_with('/') && !location.starts_with("//")) {
    Url url = from;
    url.target = location;
    if (is_encoded(location)) return url;
    network_fail(Retry::kNo, from.origin(), ": redirects to a path with characters that must be ",
                 "percent-encoded");
  }
  const bool relative_scheme = location.starts_with("//");
  try {
    return parse_url((relative_scheme ? (from.https ? "https:" : "http:") : "") + location,
                     "Location");
  } catch (const Error& error) {
    network_fail(Retry::kNo, from.origin(),
                 ": redirects to where cannot be followed: ", error.what());
  }
}

}  // namespace

std::optional<Hop> next_hop(const Hop& from, const HttpHead& head) {
  const int status = head.status;
  if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308) {
    return std::nullopt;
  }
  const std::string* location = head.find("Location");
  if (location == nullptr) return std::nullopt;
  const std::string& origin = from.url.origin();
  if (from.redirects == kMaxRedirects) {
    network_fail(Retry::kNo, origin, ": redirects again after ", kMaxRedirects, " redirects");
  }
  Hop hop{locate(from.url, *location), from.redirects + 1, from.may_authenticate};
  if (from.url.https && !hop.url.https) {
    network_fail(Retry::kNo, origin, ": redirects from https to http, which is not followed");
  }
  if (hop.url.host != from.url.host && (is_ip_address(hop.url.host) || is_loopback(hop.url.host))) {
    network_fail(Retry::kNo, origin, ": redirects to the address ", quote(hop.url.host, 255),
                 ", which is not followed; only names are");
  }
  if (hop.url.origin() != origin) hop.may_authenticate = false;
  return hop;
}

}  // namespace lambert
