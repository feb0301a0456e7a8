// What every gRPC server of patd is limited to, whatever it serves.
#ifndef PAT_SERVER_OPS_SERVER_LIMITS_H_
#define PAT_SERVER_OPS_SERVER_LIMITS_H_

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "absl/time/time.h"

namespace pat {

// Messages of 256 KiB, no compression, few threads, a port of its own. A connection, with all that is under way on it,
// has ended at `connection_age` at the latest.
void LimitServer(grpc::ServerBuilder& builder, absl::Duration connection_age);

// For how long calls may go on when a server stops. With what else there is to end, a process is gone within 10 s.
inline const absl::Duration kDrainTime = absl::Seconds(5);

// Takes no new calls, lets those under way finish for so long, cancels the rest. Returns when all are gone.
void StopServer(grpc::Server& server, absl::Duration drain_time = kDrainTime);

}  // namespace pat

#endif  // PAT_SERVER_OPS_SERVER_LIMITS_H_
