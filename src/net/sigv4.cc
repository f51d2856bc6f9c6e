#include "net/sigv4.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>
#include <vector>

#include "net/ascii.h"
#include "net/digest.h"

namespace lambert {

namespace {

// Without blanks at its ends, and with one in place of several.
std::string squeezed(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool blank = c == ' ' || c == '\t';
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

// Parameters sorted by name, then by value; each with its '='.
std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string_view, std::string_view>> parameters;
  while (!query.empty()) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), parameter.size() + 1));
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    parameters.emplace_back(parameter.substr(0, equals),
                            parameter.substr(std::min(parameter.size(), equals + 1)));
  }
  std::sort(parameters.begin(), parameters.end());
  std::string out;
  for (const auto& [name, value] : parameters) {
    if (!out.empty()) out += '&';
    out.append(name).append("=").append(value);
  }
  return out;
}

struct Canonical {
  std::string signed_headers;  // "host;x-amz-date"
  std::string request;
};

Canonical canonical_request(const HttpRequest& request, std::string_view host,
                            std::string_view payload_digest) {
  std::map<std::string, std::string> headers = {{"host", std::string(host)}};
  for (const HttpHeader& header : request.headers) {
    const auto [place, added] =
        headers.try_emplace(ascii_lower(header.name), squeezed(header.value));
    if (!added) place->second += "," + squeezed(header.value);
  }
  Canonical canonical;
  const std::string_view target = request.target;
  const std::size_t path = std::min(target.find('?'), target.size());
  canonical.request = request.method + "\n";
  canonical.request.append(target.substr(0, path)).append("\n");
  canonical.request += canonical_query(target.substr(std::min(target.size(), path + 1))) + "\n";
  for (const auto& [name, value] : headers) {
    canonical.request.append(name).append(":").append(value).append("\n");
    canonical.signed_headers += (canonical.signed_headers.empty() ? "" : ";") + name;
  }
  canonical.request += "\n" + canonical.signed_headers + "\n";
  canonical.request += payload_digest;
  return canonical;
}

// A key for one day, region and service, which itself is a secret.
Secret signing_key(const AwsCredentials& credentials, std::string_view date,
                   const SigningScope& scope) {
  Secret key("AWS4" + std::string(credentials.secret_access_key.reveal()));
  for (const std::string_view part :
       {date, std::string_view(scope.region), std::string_view(scope.service),
        std::string_view("aws4_request")}) {
    key = Secret(std::string(bytes_of(hmac_sha256(key.reveal(), part))));
  }
  return key;
}

std::string encode(std::string_view text, bool keep_slashes) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool plain = is_ascii_alphanumeric(c) || c == '-' || c == '_' || c == '.' || c == '~' ||
                       (c == '/' && keep_slashes);
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

}  // namespace

std::string uri_encode(std::string_view text) {
  return encode(text, false);
}

std::string uri_encode_path(std::string_view path) {
  return encode(path, true);
}

std::string amz_date(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  char text[64];
  std::snprintf(text, sizeof text, "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

void sign_request(HttpRequest& request, std::string_view host, const AwsCredentials& credentials,
                  const SigningScope& scope, WallTime time) {
  std::erase_if(request.headers, [](const HttpHeader& header) {
    const std::string name = ascii_lower(header.name);
    return name == "authorization" || name == "x-amz-date" || name == "x-amz-security-token" ||
           name == "x-amz-content-sha256";
  });
  const std::string date = amz_date(time);
  const std::string payload_digest = hex(bytes_of(sha256(request.body)));
  request.headers.push_back({"X-Amz-Date", date});
  if (scope.service == "s3") request.headers.push_back({"X-Amz-Content-Sha256", payload_digest});
  if (!credentials.session_token.empty()) {
    request.headers.push_back(
        {"X-Amz-Security-Token", std::string(credentials.session_token.reveal())});
  }
  const Canonical canonical = canonical_request(request, host, payload_digest);
  const std::string day = date.substr(0, 8);
  const std::string place = day + "/" + scope.region + "/" + scope.service + "/aws4_request";
  const std::string to_sign =
      "AWS4-HMAC-SHA256\n" + date + "\n" + place + "\n" + hex(bytes_of(sha256(canonical.request)));
  const Secret key = signing_key(credentials, day, scope);
  request.headers.push_back(
      {"Authorization", "AWS4-HMAC-SHA256 Credential=" + credentials.access_key_id + "/" + place +
                            ", SignedHeaders=" + canonical.signed_headers +
                            ", Signature=" + hex(bytes_of(hmac_sha256(key.reveal(), to_sign)))});
}

}  // namespace lambert
