// The one door through which errors leave the process.
//
// A refusal by our rules (it has ErrorDetails) becomes a status with google.rpc details: always an ErrorInfo, and
// BadRequest, RetryInfo or QuotaFailure where it fits. Anything else comes from an engine or a library: its text stays
// inside, and the caller learns only whether it makes sense to try again.
//
// Details are kept under 4 kB, because a client refuses more than its header limit: at most 20 violations, and then one
// that says how many more there are; a text of over 600 bytes is cut.
//
// Threads: a pure function.
#ifndef PAT_SERVER_RPC_STATUS_MAPPING_H_
#define PAT_SERVER_RPC_STATUS_MAPPING_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace pat {

// Must not be given an OK status.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace pat

#endif  // PAT_SERVER_RPC_STATUS_MAPPING_H_
