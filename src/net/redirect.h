// Which redirects are followed.
#pragma once

#include <optional>

#include "net/http_message.h"
#include "net/url.h"

namespace lambert {

// A place that a GET or HEAD goes to.
struct Hop {
  Url url;
  int redirects = 0;             // that led here
  bool may_authenticate = true;  // false once another host, port or scheme was gone to
};

// Where `head`, the response to a GET or HEAD at `from`, leads; none when it is no redirect (301,
// 302, 303, 307, 308 with a Location). Throws a NetworkError for what is not followed: the sixth in
// a row, from https to http, to an address or "localhost" in place of a name (unless it is the same
// host), a Location that is neither a URL nor an absolute path.
std::optional<Hop> next_hop(const Hop& from, const HttpHead& head);

}  // namespace lambert
