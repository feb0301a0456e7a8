// Durations, expiry dates and moments that have passed, as a person writes them.
//
// Threads: pure functions.
#ifndef PAT_CLIENT_PATCTL_EXPIRY_H_
#define PAT_CLIENT_PATCTL_EXPIRY_H_

#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace pat::patctl {

// When a token is to end: so much later than now, by the clock of the server, or at an instant.
using Expiry = std::variant<absl::Duration, absl::Time>;

// "90s", "15m", "1h", "30d": a whole number and one unit. "0s" is a duration too, and "0" needs no unit. Anything else,
// or more than 36500 days: INVALID_ARGUMENT, which names the units.
absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text);

// The same, but no time at all is an error too.
absl::StatusOr<absl::Duration> ParsePositiveDuration(absl::string_view text);

// Takes a positive duration; a date ("2027-01-31": the token is good through the end of that day, UTC); or an instant
// as in RFC 3339 ("2027-01-31T18:00:00Z", also with a space for the T). Whether it is in the past is for the server to
// judge. INVALID_ARGUMENT: anything else, also a day that is in no calendar and a year beyond 9999.
absl::StatusOr<Expiry> ParseExpiry(absl::string_view text);

// A moment in the past: so long ago, or an instant.
using Moment = std::variant<absl::Duration, absl::Time>;

// The same forms: a duration is that long ago. A date is its beginning for ParseSince, and its end for ParseUntil, UTC.
absl::StatusOr<Moment> ParseSince(absl::string_view text);
absl::StatusOr<Moment> ParseUntil(absl::string_view text);

// When that was, if it is `now`.
absl::Time TimeOf(const Moment& moment, absl::Time now);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_EXPIRY_H_
