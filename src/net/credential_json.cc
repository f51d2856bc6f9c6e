#include "net/credential_json.h"

#include <algorithm>
#include <charconv>

#include "base/json_member.h"
#include "net/ascii.h"

namespace lambert {

namespace {

namespace json = boost::json;

constexpr std::size_t kMaxCredentialJson = std::size_t{256} << 10;

// Digits at `at`, which moves behind them and the character that follows.
bool take_number(std::string_view text, std::size_t& at, std::size_t digits, char then, int& out) {
  if (text.size() < at + digits) return false;
  const char* const begin = text.data() + at;
  const auto [end, error] = std::from_chars(begin, begin + digits, out);
  if (error != std::errc() || end != begin + digits || !is_ascii_digit(*begin)) return false;
  at += digits;
  if (then == 0) return true;
  if (at == text.size() || text[at] != then) return false;
  ++at;
  return true;
}

std::optional<WallTime> expiration_of(const json::object& object, const char* name) {
  const json::value* const value = object.if_contains(name);
  if (value == nullptr) return std::nullopt;
  if (const std::int64_t* const milliseconds = value->if_int64()) {
    constexpr std::int64_t kLatest = 9'000'000'000'000;  // the clock counts to the year 2262
    return WallTime(std::chrono::milliseconds(std::clamp<std::int64_t>(*milliseconds, 0, kLatest)));
  }
  return parse_iso8601(string_at(object, name));
}

}  // namespace

std::optional<WallTime> parse_iso8601(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::size_t at = 0;
  if (!take_number(text, at, 4, '-', year) || !take_number(text, at, 2, '-', month) ||
      !take_number(text, at, 2, 'T', day) || !take_number(text, at, 2, ':', hour) ||
      !take_number(text, at, 2, ':', minute) || !take_number(text, at, 2, 0, second)) {
    return std::nullopt;
  }
  if (at < text.size() && text[at] == '.') {
    ++at;
    while (at < text.size() && is_ascii_digit(text[at])) ++at;
  }
  const std::string_view zone = text.substr(at);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if ((zone != "Z" && zone != "+00:00" && zone != "UTC") || !date.ok() || year < 1970 ||
      year > 2261 || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second);
}

AwsCredentials read_credentials(const json::object& object, std::string_view source,
                                const CredentialNames& names) {
  AwsCredentials credentials;
  credentials.access_key_id = string_at(object, names.access_key_id);
  credentials.secret_access_key = Secret(std::string(string_at(object, names.secret_access_key)));
  credentials.session_token = Secret(std::string(string_at(object, names.session_token)));
  credentials.expires = expiration_of(object, names.expiration);
  credentials.source = source;
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    fail(ErrorCode::kInvalidArgument, source, ": has no ", names.access_key_id, " and ",
         names.secret_access_key);
  }
  return credentials;
}

AwsCredentials read_credential_json(std::string_view text, std::string_view source,
                                    const CredentialNames& names) {
  const json::value value =
      parse_json(text, source, ErrorCode::kInvalidArgument, {.max_bytes = kMaxCredentialJson});
  const json::object* const object = value.if_object();
  if (object == nullptr) fail(ErrorCode::kInvalidArgument, source, ": is no JSON object");
  return read_credentials(*object, source, names);
}

}  // namespace lambert
