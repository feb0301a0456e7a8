// What a call to the authority that failed means to whoever waits for it.
#ifndef PAT_SERVER_UPSTREAM_UPSTREAM_ERROR_H_
#define PAT_SERVER_UPSTREAM_UPSTREAM_ERROR_H_

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace pat {

struct UpstreamError {
  // UNAVAILABLE, reason AUTHORITY_UNAVAILABLE; or RESOURCE_EXHAUSTED if it is the authority that says so. Says whether
  // the authority was not reached, cannot read its store, or is a sidecar that could not ask its own. Nothing of the
  // transport's text is in it.
  absl::Status for_caller;

  // UNAVAILABLE, whoever says so: another attempt may help, over another address at once.
  bool may_retry = false;

  // The authority does not want to be asked again before so much time has passed. Zero: it has not said.
  absl::Duration retry_delay = absl::ZeroDuration();

  // may_retry, and it is the connection that failed, not the authority behind it.
  bool is_transport = false;

  // Nothing came in time.
  bool is_late = false;

  // For the log.
  std::string text;
};

// Must not be given an OK status.
UpstreamError ReadError(const grpc::Status& status);

// What a caller is told when nothing could be found out, for a reason in plain words ("the authority ...").
absl::Status AuthorityUnavailable(absl::string_view message);

}  // namespace pat

#endif  // PAT_SERVER_UPSTREAM_UPSTREAM_ERROR_H_
