// How the rules refuse: an absl::Status with a code and a text for people, and the details that a program needs.
//
// The details travel inside the status (as a payload that only these functions read), so every function of the rules
// returns plain absl::Status or StatusOr, and the one place where errors leave the process
// (server/rpc/status_mapping.h) can tell a refusal by our rules from an error of an engine: the latter has no details,
// and its text stays in the log.
//
// Threads: pure functions.
#ifndef PAT_SERVER_CORE_ERROR_H_
#define PAT_SERVER_CORE_ERROR_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace pat {

// One thing that is wrong with a request. `field` is a path such as "scopes[1]"; `description` says what is wrong, with
// the value, and what would be right.
struct FieldViolation {
  std::string field;
  std::string description;

  friend bool operator==(const FieldViolation&, const FieldViolation&) = default;
};

// So many violations of one request are told; beyond, how many more there are.
inline constexpr size_t kMostViolations = 20;

struct ErrorDetails {
  // Each with an initialiser, so that a designated initialiser may name only some.
  std::string reason = {};  // UPPER_SNAKE_CASE, for programs: google.rpc.ErrorInfo.reason.
  std::vector<std::pair<std::string, std::string>> metadata = {};
  std::vector<FieldViolation> violations = {};     // Becomes google.rpc.BadRequest.
  size_t more_violations = 0;                      // There are so many more, which are not kept.
  std::optional<absl::Duration> retry_delay = {};  // Becomes google.rpc.RetryInfo.
  std::string quota_subject = {};                  // With quota_description: google.rpc.QuotaFailure.
  std::string quota_description = {};

  friend bool operator==(const ErrorDetails&, const ErrorDetails&) = default;
};

absl::Status MakeError(absl::StatusCode code, absl::string_view message, const ErrorDetails& details);

// What MakeError was given; nullopt for a status that was made in another way.
std::optional<ErrorDetails> DetailsOf(const absl::Status& status);

// INVALID_ARGUMENT, reason INVALID_REQUEST, all violations at once; of more than kMostViolations one more is kept, so
// that it is known where the rest begins, and the others are counted. `violations` must not be empty.
absl::Status InvalidRequest(std::vector<FieldViolation> violations);

// A value as it may stand in a text: quoted, control characters and non-ASCII bytes escaped, cut at 64 bytes. What
// looks like a secret or a digest (somebody put it into the wrong field) is masked: "pat_...", or "..." for 64
// hexadecimal digits.
std::string Quoted(absl::string_view value);

}  // namespace pat

#endif  // PAT_SERVER_CORE_ERROR_H_
