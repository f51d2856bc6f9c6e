#include "store/http_date.h"

#include "net/ascii.h"

namespace lambert {

namespace {

// The digits of text[at, at + count); -1 for anything else.
int digits_at(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (!is_ascii_digit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || text.substr(25) != " GMT" || text[3] != ',') return std::nullopt;
  const std::size_t month = kMonths.find(text.substr(8, 3));
  const int day = digits_at(text, 5, 2), year = digits_at(text, 12, 4);
  const int hour = digits_at(text, 17, 2), minute = digits_at(text, 20, 2);
  const int second = digits_at(text, 23, 2);
  if (month == kMonths.npos || month % 3 != 0 || day < 0 || year < 1970 || year > 2261 ||
      hour < 0 || minute < 0 || second < 0) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month / 3 + 1)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second);
}

}  // namespace lambert
