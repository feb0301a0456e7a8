#include "client/patctl/exit_code.h"

namespace pat::patctl {

absl::Status UsageError(absl::string_view text) { return absl::InvalidArgumentError(text); }

absl::Status NotConfirmed(absl::string_view text) { return absl::CancelledError(text); }

absl::Status Failed(absl::string_view text) { return absl::UnknownError(text); }

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return ExitCode::kUsage;
    case absl::StatusCode::kCancelled:
      return ExitCode::kNotConfirmed;
    default:
      return ExitCode::kFailed;
  }
}

}  // namespace pat::patctl
