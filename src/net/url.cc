#include "net/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "net/ascii.h"

namespace lambert {

namespace {

std::optional<in_addr> ipv4(const std::string& host) {
  in_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) != 1) return std::nullopt;
  return address;
}

std::optional<in6_addr> ipv6(const std::string& host) {
  in6_addr address{};
  if (::inet_pton(AF_INET6, host.c_str(), &address) != 1) return std::nullopt;
  return address;
}

// Whether resolvers might take a host for an address: its last label is a number (WHATWG's rule).
bool ends_in_number(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::string_view label = host.substr(host.rfind('.') + 1);
  if (label.starts_with("0x"))
    return std::all_of(label.begin() + 2, label.end(), [](char c) { return hex_value(c) >= 0; });
  return !label.empty() && std::all_of(label.begin(), label.end(), is_ascii_digit);
}

bool is_name(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  std::size_t label = 0;  // its length so far
  for (std::size_t i = 0; i < host.size(); ++i) {
    const char c = host[i];
    if (c == '.') {
      if (label == 0 || host[i - 1] == '-') return false;
      label = 0;
      continue;
    }
    if (!is_ascii_alphanumeric(c) && c != '_' && (c != '-' || label == 0)) return false;
    if (++label > 63) return false;
  }
  return host.back() != '-';
}

// `text` without its host, which goes to `url`; false when there is none that is accepted.
bool take_host(std::string_view& text, Url& url) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return false;
    url.host = ascii_lower(text.substr(1, end - 1));
    text.remove_prefix(end + 1);
    const auto address = ipv6(url.host);
    return address && !IN6_IS_ADDR_V4MAPPED(&*address) && !IN6_IS_ADDR_V4COMPAT(&*address);
  }
  const std::size_t size = std::min(text.find(':'), text.size());
  url.host = ascii_lower(text.substr(0, size));
  text.remove_prefix(size);
  return ends_in_number(url.host) ? ipv4(url.host).has_value() : is_name(url.host);
}

bool take_port(std::string_view text, Url& url) {
  url.port = url.https ? 443 : 80;
  if (text.empty()) return true;
  text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), url.port);
  return error == std::errc() && end == text.data() + text.size() && url.port != 0;
}

}  // namespace

std::string Url::authority() const {
  std::string text = host.find(':') != std::string::npos ? "[" + host + "]" : host;
  if (port != (https ? 443 : 80)) text += ":" + std::to_string(port);
  return text;
}

std::string Url::origin() const {
  return (https ? "https://" : "http://") + authority();
}

bool is_encoded(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0)
        return false;
    } else if (!is_ascii_alphanumeric(c) &&
               std::string_view("-._~!$&'()*+,;=:@/?").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

Url parse_url(std::string_view text, std::string_view source) {
  Url url;
  const std::string_view whole = text;
  const auto scheme_end = text.find("://");
  const std::string scheme = ascii_lower(text.substr(0, std::min(scheme_end, text.size())));
  if (scheme_end == std::string_view::npos || (scheme != "http" && scheme != "https")) {
    fail(ErrorCode::kInvalidArgument, source, ": expected a URL with http:// or https://");
  }
  url.https = scheme == "https";
  text.remove_prefix(scheme_end + 3);
  const std::size_t authority = std::min(text.find_first_of("/?#"), text.size());
  std::string_view host = text.substr(0, authority);
  text.remove_prefix(authority);
  if (host.find('@') != std::string_view::npos) {
    fail(ErrorCode::kInvalidArgument, source,
         ": a user name or password in a URL is not accepted (not shown here)");
  }
  if (!take_host(host, url)) {
    fail(ErrorCode::kInvalidArgument, source, ": ",
         quote(whole.substr(0, scheme_end + 3 + authority), 300),
         " has no valid host; expected a name, an IPv4 address of four decimal numbers, or an "
         "IPv6 address in brackets");
  }
  if ((!host.empty() && host.front() != ':') || !take_port(host, url)) {
    fail(ErrorCode::kInvalidArgument, source, ": the port of ", quote(url.host, 255),
         " is not a number from 1 to 65535");
  }
  if (!is_encoded(text)) {
    fail(ErrorCode::kInvalidArgument, source, ": the URL at ", quote(url.host, 255),
         " has a fragment, or characters in its path or query that must be percent-encoded");
  }
  url.target = text.starts_with('/') ? std::string(text) : "/" + std::string(text);
  return url;
}

bool is_ip_address(const std::string& host) {
  return ipv4(host) || ipv6(host);
}

bool is_loopback(const std::string& host) {
  if (host == "localhost") return true;
  if (const auto address = ipv4(host)) return (ntohl(address->s_addr) >> 24) == 127;
  const auto address = ipv6(host);
  return address && IN6_IS_ADDR_LOOPBACK(&*address);
}

}  // namespace lambert
