// HTTP proxies, as the environment names them.
#pragma once

#include <optional>
#include <string>

#include "net/environment.h"
#include "net/secret.h"
#include "net/url.h"

namespace lambert {

struct Proxy {
  Url url;
  std::optional<Secret> authorization;  // for Proxy-Authorization: "Basic ..."
};

// The proxy for requests to `url`: HTTPS_PROXY or HTTP_PROXY by its scheme, in capitals or not,
// else ALL_PROXY; none for loopback and for what NO_PROXY lists (host, .domain, *; a port after a
// colon; CIDR blocks are not understood). Throws kInvalidArgument for a proxy that is no http(s)
// URL.
std::optional<Proxy> proxy_for(const Url& url, const Environment& environment);

}  // namespace lambert
