// Spans of time for gRPC. A span, not an instant: gRPC adds a clock of its own that nobody can set, and none is read
// here.
#ifndef PAT_SERVER_UPSTREAM_GRPC_TIME_H_
#define PAT_SERVER_UPSTREAM_GRPC_TIME_H_

#include <grpc/support/time.h>

#include "absl/time/time.h"

namespace pat {

inline gpr_timespec FromNow(absl::Duration duration) {
  return gpr_time_from_nanos(absl::ToInt64Nanoseconds(duration), GPR_TIMESPAN);
}

}  // namespace pat

#endif  // PAT_SERVER_UPSTREAM_GRPC_TIME_H_
