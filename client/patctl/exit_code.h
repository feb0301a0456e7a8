// How patctl ends, and how a command says why it ended early.
//
// Commands return absl::StatusOr<ExitCode>. A status in patctl is made by one of the three functions below (or is an
// INVALID_ARGUMENT of the client library, a usage error); its text is what the person reads. The codes of a server's
// errors never become codes of such a status: they are in the text.
//
// Threads: pure functions.
#ifndef PAT_CLIENT_PATCTL_EXIT_CODE_H_
#define PAT_CLIENT_PATCTL_EXIT_CODE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace pat::patctl {

enum class ExitCode {
  kDone = 0,          // Done; for introspect: VERDICT_ALLOW.
  kFailed = 1,        // The call failed, or its answer is "no such thing".
  kUsage = 2,         // The command line is wrong; nothing was sent.
  kOtherVerdict = 3,  // introspect: any verdict but VERDICT_ALLOW.
  kNotConfirmed = 4,  // The person did not say yes; nothing was changed.
};

absl::Status UsageError(absl::string_view text);
absl::Status NotConfirmed(absl::string_view text);
absl::Status Failed(absl::string_view text);

// The exit code for a status that is not OK.
ExitCode ExitCodeOf(const absl::Status& status);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_EXIT_CODE_H_
