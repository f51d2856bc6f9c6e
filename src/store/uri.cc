#include "store/uri.h"

#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"
#include "net/ascii.h"

namespace lambert {

namespace {

[[noreturn]] void refuse_uri(std::string_view source, std::string_view text,
                             const std::string& why) {
  fail(ErrorCode::kInvalidArgument, source, ": ", quote(text, 400), ": ", why);
}

// What stands before "://", if it looks like a scheme.
std::string_view scheme_of(std::string_view text) {
  const std::size_t end = text.find("://");
  if (end == text.npos || end == 0) return {};
  const std::string_view scheme = text.substr(0, end);
  const bool valid = std::all_of(scheme.begin(), scheme.end(), [](char c) {
    return is_ascii_alphanumeric(c) || c == '+' || c == '-' || c == '.';
  });
  return valid ? scheme : std::string_view();
}

// The rules for names of buckets, but for old ones with capitals and underscores.
bool is_bucket(std::string_view name) {
  return name.size() >= 3 && name.size() <= 63 && is_ascii_alphanumeric(name.front()) &&
         is_ascii_alphanumeric(name.back()) && name.find("..") == name.npos &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return is_ascii_alphanumeric(c) || c == '-' || c == '.' || c == '_';
         });
}

void read_s3(std::string_view rest, std::string_view source, Uri& uri) {
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  uri.bucket = rest.substr(0, slash);
  uri.key = rest.substr(std::min(rest.size(), slash + 1));
  if (!is_bucket(uri.bucket)) {
    refuse_uri(source, uri.text, "no bucket's name, expected s3://BUCKET/KEY");
  }
  constexpr std::size_t kMaxKey = 1024;  // S3's own
  if (uri.key.size() > kMaxKey || check_utf8(uri.key).error_byte) {
    refuse_uri(source, uri.text, "a key has at most 1024 bytes of UTF-8");
  }
}

// Parts as the Hub allows them; none may lead out of a directory.
bool is_repository_part(std::string_view part) {
  return !part.empty() && part.size() <= 96 && part.front() != '.' && part.front() != '-' &&
         part.find("..") == part.npos && part.find("--") == part.npos &&
         std::all_of(part.begin(), part.end(), [](char c) {
           return is_ascii_alphanumeric(c) || c == '-' || c == '.' || c == '_';
         });
}

bool is_revision(std::string_view revision) {
  return !revision.empty() && revision.size() <= 200 && revision.front() != '/' &&
         revision.front() != '.' && revision.find("..") == revision.npos &&
         std::all_of(revision.begin(), revision.end(), [](char c) {
           return is_ascii_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '/';
         });
}

void read_hub(std::string_view rest, std::string_view source, Uri& uri) {
  const std::size_t at = std::min(rest.find('@'), rest.size());
  uri.repository = rest.substr(0, at);
  uri.revision = at == rest.size() ? "main" : rest.substr(at + 1);
  const std::string_view name = uri.repository;
  const std::size_t slash = name.find('/');
  const bool valid = slash == name.npos ? is_repository_part(name)
                                        : is_repository_part(name.substr(0, slash)) &&
                                              is_repository_part(name.substr(slash + 1));
  if (!valid || !is_revision(uri.revision)) {
    refuse_uri(source, uri.text, "no model of the Hub, expected hf://ORG/NAME[@REVISION]");
  }
}

}  // namespace

Uri parse_uri(std::string_view text, std::string_view source) {
  Uri uri;
  uri.text = text;
  const std::string scheme = ascii_lower(scheme_of(text));
  const std::string_view rest = scheme.empty() ? text : text.substr(scheme.size() + 3);
  if (scheme == "s3") {
    uri.kind = Uri::Kind::kS3;
    read_s3(rest, source, uri);
  } else if (scheme == "https" || scheme == "http") {
    uri.kind = Uri::Kind::kHttps;
    uri.url = parse_url(text, source);
    if (!uri.url.https && !is_loopback(uri.url.host)) {
      refuse_uri(source, text, "http is not safe for models, use https");
    }
  } else if (scheme == "hf") {
    uri.kind = Uri::Kind::kHub;
    read_hub(rest, source, uri);
  } else if (scheme == "file") {
    if (!rest.starts_with('/')) {
      refuse_uri(source, text, "a file on another host, expected file:///PATH");
    }
    uri.path = rest;
  } else if (!scheme.empty()) {
    refuse_uri(source, text, "unknown scheme, expected a path, file:, s3://, https:// or hf://");
  } else {
    uri.path = ascii_lower(text.substr(0, 5)) == "file:" ? text.substr(5) : text;
  }
  return uri;
}

std::string uri_file_name(const Uri& uri) {
  std::string_view path = uri.path;
  if (uri.kind == Uri::Kind::kS3) path = uri.key;
  if (uri.kind == Uri::Kind::kHttps) {
    path = std::string_view(uri.url.target).substr(0, uri.url.target.find('?'));
  }
  if (uri.kind == Uri::Kind::kHub) path = uri.repository;
  return std::string(path.substr(path.rfind('/') + 1));
}

}  // namespace lambert
