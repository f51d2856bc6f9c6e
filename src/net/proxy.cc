#include "net/proxy.h"

#include <algorithm>

#include "base/error.h"
#include "net/ascii.h"
#include "net/digest.h"

namespace lambert {

namespace {

bool is_exempt(const Url& url, const std::string& list) {
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    std::string entry = ascii_lower(ascii_trim({list.data() + begin, end - begin}));
    begin = end + 1;
    if (entry == "*") return true;
    const auto colon = entry.find(':');
    if (colon != std::string::npos && entry.find(':', colon + 1) == std::string::npos) {
      if (entry.substr(colon + 1) != std::to_string(url.port)) continue;
      entry.resize(colon);
    }
    if (entry.starts_with('*')) entry.erase(0, 1);
    const bool dotted = entry.starts_with('.');
    if (dotted) entry.erase(0, 1);
    if (entry.empty()) continue;
    if (url.host == entry || url.host.ends_with("." + entry)) return true;
  }
  return false;
}

// User names and passwords in a URL are percent-encoded.
std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
        hex_value(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

Proxy parse_proxy(std::string text, const std::string& source) {
  if (text.find("://") == std::string::npos) text = "http://" + text;
  Proxy proxy;
  const auto scheme = text.find("://") + 3;
  const auto at = text.substr(0, text.find('/', scheme)).rfind('@');
  if (at != std::string::npos && at >= scheme) {
    const std::string user = percent_decoded(std::string_view(text).substr(scheme, at - scheme));
    proxy.authorization = Secret("Basic " + base64(user));
    text.erase(scheme, at + 1 - scheme);
  }
  proxy.url = parse_url(text, source);
  return proxy;
}

}  // namespace

std::optional<Proxy> proxy_for(const Url& url, const Environment& environment) {
  if (is_loopback(url.host)) return std::nullopt;
  for (const char* name : {"NO_PROXY", "no_proxy"}) {
    const auto list = environment(name);
    if (list && is_exempt(url, *list)) return std::nullopt;
  }
  for (const std::string name : {url.https ? "HTTPS_PROXY" : "HTTP_PROXY", "ALL_PROXY"}) {
    for (const std::string& spelled : {name, ascii_lower(name)}) {
      if (const auto text = environment(spelled)) return parse_proxy(*text, spelled);
    }
  }
  return std::nullopt;
}

}  // namespace lambert
