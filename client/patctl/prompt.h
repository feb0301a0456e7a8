// Questions to the person at the terminal, on standard error.
//
// Threads: used by one thread.
#ifndef PAT_CLIENT_PATCTL_PROMPT_H_
#define PAT_CLIENT_PATCTL_PROMPT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/patctl/session.h"

namespace pat::patctl {

// One line, without blanks around it. CANCELLED: there is no more input.
absl::StatusOr<std::string> Ask(absl::string_view question, Session& session);

// Whether there is anybody to ask, or no need to: OK with --yes or on a terminal, else CANCELLED. To be called before
// anything else is done, so that a script that forgot --yes changes nothing and sends nothing.
absl::Status CanConfirm(Session& session);

// OK: the person said yes, or --yes was given; in that case nothing is written. CANCELLED: anything else.
absl::Status Confirm(absl::string_view question, Session& session);

}  // namespace pat::patctl

#endif  // PAT_CLIENT_PATCTL_PROMPT_H_
