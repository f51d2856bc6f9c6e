// http and https URLs, read strictly.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lambert {

struct Url {
  bool https = false;
  std::string host;  // lower case; an IPv6 address stands without its brackets
  std::uint16_t port = 0;
  std::string target = "/";  // path and query, as they go into a request

  std::string authority() const;  // host, and the port where it is not the scheme's: for Host
  std::string origin() const;     // scheme and authority: for messages
};

// Refused with kInvalidArgument: other schemes, user names and passwords (never repeated in the
// message), fragments, characters that must be percent-encoded, addresses that are not written as
// four decimal numbers or in brackets (0x7f.1, 2130706433, 127.1), IPv4 inside of IPv6, zones, port
// 0. `source` says in messages where the text came from, e.g. the name of a variable.
Url parse_url(std::string_view text, std::string_view source);

// Of a host as in Url: whether it is an address and not a name.
bool is_ip_address(const std::string& host);
// "localhost", 127.0.0.0/8 or ::1.
bool is_loopback(const std::string& host);

// A path or query with all percent signs followed by two hexadecimal digits, and nothing but what
// RFC 3986 allows there.
bool is_encoded(std::string_view path_or_query);

}  // namespace lambert
