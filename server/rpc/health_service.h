// grpc.health.v1.Health, by the synchronous API.
//
// gRPC's own health service would do, but it uses the callback API, whose polling threads come to the sockets of the
// server it is in and add more than half to the cost of every other call there.
#ifndef PAT_SERVER_RPC_HEALTH_SERVICE_H_
#define PAT_SERVER_RPC_HEALTH_SERVICE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace pat {

// Threads: thread-safe. One object may serve in several servers.
class HealthService final : public grpc::health::v1::Health::Service {
 public:
  // `services`: the full names that can be asked for, besides "" for the whole server, "readiness", which is the same,
  // and "liveness", which serves for as long as somebody answers. All serve.
  explicit HealthService(std::vector<std::string> services) : services_(std::move(services)) {}

  // From now on nothing but "liveness" serves, and watchers are told so and let go.
  void Drain() ABSL_LOCKS_EXCLUDED(mutex_);

  grpc::Status Check(grpc::ServerContext* context, const grpc::health::v1::HealthCheckRequest* request,
                     grpc::health::v1::HealthCheckResponse* response) override;

  // Takes a thread for as long as the stream is open, so there is a limit; beyond it RESOURCE_EXHAUSTED.
  grpc::Status Watch(grpc::ServerContext* context, const grpc::health::v1::HealthCheckRequest* request,
                     grpc::ServerWriter<grpc::health::v1::HealthCheckResponse>* writer) override;

 private:
  bool Knows(const std::string& service) const;
  static grpc::health::v1::HealthCheckResponse::ServingStatus StatusOf(const std::string& service, bool draining);

  const std::vector<std::string> services_;

  absl::Mutex mutex_;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  size_t watchers_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace pat

#endif  // PAT_SERVER_RPC_HEALTH_SERVICE_H_
