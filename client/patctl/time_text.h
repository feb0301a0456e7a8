// Times as a person reads them: in UTC, with how far away they are.
//
// Threads: pure functions.
#ifndef PAT_CLIENT_PATCTL_TIME_TEXT_H_
#define PAT_CLIENT_PATCTL_TIME_TEXT_H_

#include <string>

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace pat::patctl {

// "2026-11-23 15:04:05Z". A fraction of a second is cut off.
std::string FormatInstant(absl::Time time);

// At most two units, the rest cut off: "29d" (from one day on only days), "3h5m", "59m58s", "0s". Negative: "0s".
std::string FormatDistance(absl::Duration distance);

// So that it can be given again: the number of the largest unit that it is a whole number of, as in "90d", "36h",
// "90s". A fraction of a second is cut off.
std::string FormatExactly(absl::Duration duration);

// "in 29d", "3h5m ago", "now".
std::string FormatRelative(absl::Time time, absl::Time now);

// "2026-11-23 15:04:05Z (in 29d)".
std::string FormatWhen(absl::Time time, absl::Time now);

// The next whole second, if this is none: for "at the latest until".
absl::Time RoundUpToSecond(absl::Time time);

absl::Time ToTime(const google::protobuf::Timestamp& timestamp);
absl::Duration ToDuration(const google::protobuf::Duration& duration);

// What of `time` is beyond what the proto can carry (years 1 to 9999) is an error of the caller; see ParseExpiry.
google::protobuf::Timestamp ToProto(absl::Time time);
google::protobuf::Duration ToProto(absl::Duration duration);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_TIME_TEXT_H_
