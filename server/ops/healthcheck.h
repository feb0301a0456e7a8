// `patd healthcheck`: asks the patd that runs with the same options, for containers without a shell.
#ifndef PAT_SERVER_OPS_HEALTHCHECK_H_
#define PAT_SERVER_OPS_HEALTHCHECK_H_

#include "absl/status/status.h"
#include "server/ops/options.h"

namespace pat {

// Asks grpc.health.v1 at --health-listen, or at the first --listen that takes no certificate, or else at the first on
// loopback (which is plaintext if it is that of `patd dev`); waits 5 s at most. OK: it
// serves. UNAVAILABLE: it does not, or cannot be asked. INVALID_ARGUMENT: no address where it could be asked.
absl::Status Healthcheck(const Options& options);

}  // namespace pat

#endif  // PAT_SERVER_OPS_HEALTHCHECK_H_
