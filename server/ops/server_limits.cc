#include "server/ops/server_limits.h"

#include <grpc/grpc.h>
#include <grpcpp/resource_quota.h>

#include <algorithm>

namespace pat {
namespace {

constexpr int kLargestMessage = 256 * 1024;
constexpr int kMostHandlerThreads = 256;
constexpr int kShortestPingIntervalMs = 10'000;

// For what is under way on a connection of its age; streams end with it.
const absl::Duration kLongestGrace = absl::Seconds(30);

// gRPC spreads the ends of connections by a tenth, in both directions.
constexpr double kSpread = 1.1;

}  // namespace

void LimitServer(grpc::ServerBuilder& builder, absl::Duration connection_age) {
  // Two servers on one port would both start and share the calls between them.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  const absl::Duration grace = std::min(kLongestGrace, connection_age / 10);
  const absl::Duration age = (connection_age - grace) / kSpread;
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, static_cast<int>(absl::ToInt64Milliseconds(age)));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, static_cast<int>(absl::ToInt64Milliseconds(grace)));
  // Sidecars ask every 20 s whether a connection is still one; by default gRPC takes that for an attack.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kShortestPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.SetMaxReceiveMessageSize(kLargestMessage);
  // A small message must not become a large one: 61 kB of gzip can be 63 MB.
  for (const grpc_compression_algorithm algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
    builder.SetCompressionAlgorithmSupportStatus(algorithm, false);
  }
  // The synchronous services share the server with the hot queue, whose thread carries their sockets; more pollers than
  // one would only take turns with it.
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
  builder.SetResourceQuota(grpc::ResourceQuota("patd").SetMaxThreads(kMostHandlerThreads));
}

void StopServer(grpc::Server& server, absl::Duration drain_time) {
  // A span of time, not an instant: gRPC adds it to its own clock.
  server.Shutdown(gpr_time_from_millis(absl::ToInt64Milliseconds(drain_time), GPR_TIMESPAN));
}

}  // namespace pat
