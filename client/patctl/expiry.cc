#include "client/patctl/expiry.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

namespace pat::patctl {
namespace {

constexpr absl::string_view kUnits = "s, m, h or d (seconds, minutes, hours, days)";
constexpr absl::string_view kExamples = ", as in 90s, 15m, 1h or 30d";
constexpr int64_t kMostDays = 36'500;
constexpr size_t kDateLength = sizeof("2027-01-31") - 1;

// `form` has a 9 for each digit and stands for itself otherwise.
bool HasForm(absl::string_view text, absl::string_view form) {
  if (text.size() != form.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (form[i] == '9' ? !absl::ascii_isdigit(text[i]) : text[i] != form[i]) return false;
  }
  return true;
}

bool BeginsWithDate(absl::string_view text) { return HasForm(text.substr(0, kDateLength), "9999-99-99"); }

std::optional<absl::Duration> UnitOf(char letter) {
  switch (letter) {
    case 's':
      return absl::Seconds(1);
    case 'm':
      return absl::Minutes(1);
    case 'h':
      return absl::Hours(1);
    case 'd':
      return absl::Hours(24);
    default:
      return std::nullopt;
  }
}

bool IsNumber(absl::string_view text) {
  for (char c : text) {
    if (!absl::ascii_isdigit(c)) return false;
  }
  return !text.empty();
}

bool IsDate(absl::string_view text) { return text.size() == kDateLength && BeginsWithDate(text); }

// The first instant of the day after.
std::optional<absl::Time> EndOfDay(absl::string_view date) {
  const int64_t year = std::stoi(std::string(date.substr(0, 4)));
  const int month = std::stoi(std::string(date.substr(5, 2)));
  const int day = std::stoi(std::string(date.substr(8, 2)));
  const absl::CivilDay civil(year, month, day);
  if (civil.year() != year || civil.month() != month || civil.day() != day) return std::nullopt;  // No such day.
  return absl::FromCivil(civil + 1, absl::UTCTimeZone());
}

std::optional<absl::Time> Instant(absl::string_view text) {
  std::string rfc3339(text);
  if (rfc3339.size() > kDateLength && rfc3339[kDateLength] == ' ') rfc3339[kDateLength] = 'T';
  absl::Time time;
  std::string ignored;
  if (!absl::ParseTime(absl::RFC3339_full, rfc3339, &time, &ignored)) return std::nullopt;
  return time;
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text) {
  // Nothing is nothing in every unit.
  if (text == "0") return absl::ZeroDuration();
  if (IsNumber(text)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\": the unit is missing: put one behind the number: ", kUnits, kExamples));
  }
  const absl::Status invalid =
      absl::InvalidArgumentError(absl::StrCat("\"", text, "\": give a whole number and one unit: ", kUnits, kExamples));
  if (text.size() < 2 || text.size() > 12) return invalid;
  const absl::string_view digits = text.substr(0, text.size() - 1);
  if (!IsNumber(digits)) return invalid;
  const std::optional<absl::Duration> unit = UnitOf(text.back());
  int64_t count = 0;
  if (!unit.has_value() || !absl::SimpleAtoi(digits, &count)) return invalid;
  const absl::Duration duration = count * *unit;
  if (duration > absl::Hours(24) * kMostDays) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\": give at most ", kMostDays, "d (days)"));
  }
  return duration;
}

absl::StatusOr<absl::Duration> ParsePositiveDuration(absl::string_view text) {
  auto duration = ParseDuration(text);
  if (duration.ok() && *duration == absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\": give at least one second (1s)"));
  }
  return duration;
}

absl::StatusOr<Expiry> ParseExpiry(absl::string_view text) {
  if (BeginsWithDate(text)) {
    const std::optional<absl::Time> end = IsDate(text) ? EndOfDay(text) : Instant(text);
    constexpr absl::CivilYear kFirstYearBeyond(10000);
    if (end.has_value() && *end < absl::FromCivil(kFirstYearBeyond, absl::UTCTimeZone())) return Expiry(*end);
  } else if (auto duration = ParsePositiveDuration(text); duration.ok()) {
    return Expiry(*duration);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text,
                   "\": give a duration (90s, 15m, 1h or 30d: seconds, minutes, hours, days), a date (2027-01-31, "
                   "through its end, UTC) or an instant (2027-01-31T18:00:00Z)"));
}

absl::StatusOr<Moment> ParseUntil(absl::string_view text) {
  auto moment = ParseExpiry(text);
  if (moment.ok()) return moment;
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text,
                   "\": give how long ago (90s, 15m, 24h or 7d: seconds, minutes, hours, days), a date (2027-01-31, "
                   "UTC) or an instant (2027-01-31T18:00:00Z)"));
}

absl::StatusOr<Moment> ParseSince(absl::string_view text) {
  auto moment = ParseUntil(text);
  if (moment.ok() && IsDate(text)) return Moment(std::get<absl::Time>(*moment) - absl::Hours(24));
  return moment;
}

absl::Time TimeOf(const Moment& moment, absl::Time now) {
  if (const auto* ago = std::get_if<absl::Duration>(&moment)) return now - *ago;
  return std::get<absl::Time>(moment);
}

}  // namespace pat::patctl
