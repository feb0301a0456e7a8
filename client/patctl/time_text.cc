#include "client/patctl/time_text.h"

#include <cstdint>

#include "absl/strings/str_cat.h"

namespace pat::patctl {

std::string FormatInstant(absl::Time time) { return absl::FormatTime("%Y-%m-%d %H:%M:%SZ", time, absl::UTCTimeZone()); }

std::string FormatDistance(absl::Duration distance) {
  const int64_t seconds = distance < absl::ZeroDuration() ? 0 : absl::ToInt64Seconds(distance);
  const int64_t minutes = seconds / 60;
  const int64_t hours = minutes / 60;
  if (hours >= 24) return absl::StrCat(hours / 24, "d");
  if (hours > 0) return absl::StrCat(hours, "h", minutes % 60, "m");
  if (minutes > 0) return absl::StrCat(minutes, "m", seconds % 60, "s");
  return absl::StrCat(seconds, "s");
}

std::string FormatExactly(absl::Duration duration) {
  const int64_t seconds = absl::ToInt64Seconds(duration);
  constexpr int64_t kMinute = 60;
  constexpr int64_t kHour = 60 * kMinute;
  constexpr int64_t kDay = 24 * kHour;
  if (seconds != 0 && seconds % kDay == 0) return absl::StrCat(seconds / kDay, "d");
  if (seconds != 0 && seconds % kHour == 0) return absl::StrCat(seconds / kHour, "h");
  if (seconds != 0 && seconds % kMinute == 0) return absl::StrCat(seconds / kMinute, "m");
  return absl::StrCat(seconds, "s");
}

std::string FormatRelative(absl::Time time, absl::Time now) {
  const absl::Duration ahead = time - now;
  if (absl::AbsDuration(ahead) < absl::Seconds(1)) return "now";
  if (ahead > absl::ZeroDuration()) return absl::StrCat("in ", FormatDistance(ahead));
  return absl::StrCat(FormatDistance(-ahead), " ago");
}

std::string FormatWhen(absl::Time time, absl::Time now) {
  return absl::StrCat(FormatInstant(time), " (", FormatRelative(time, now), ")");
}

absl::Time RoundUpToSecond(absl::Time time) {
  return absl::UnixEpoch() + absl::Ceil(time - absl::UnixEpoch(), absl::Seconds(1));
}

absl::Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp timestamp;
  const int64_t seconds = absl::ToUnixSeconds(time);  // Towards the past: what is left is never negative.
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return timestamp;
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  absl::Duration rest;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

}  // namespace pat::patctl
