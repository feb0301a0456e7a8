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
  // UNAVAILABLE, reason AUTHORITY_UNAVAILABLE; or RESOURCE_EXHAUSTED if it is the authority that says so. Nothing of
  // the transport's text is in it.
  absl::Status for_caller;

  // Another attempt may help, but not before so much time has passed.
  bool may_retry = false;
  absl::Duration retry_delay = absl::ZeroDuration();

  // The connection failed, not the authority behind it: another address may do.
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
