#include "server/rpc/health_service.h"

#include <algorithm>

#include "absl/time/time.h"
#include "server/core/error.h"
#include "server/rpc/status_mapping.h"

namespace pat {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

constexpr char kLiveness[] = "liveness";
constexpr char kReadiness[] = "readiness";

constexpr size_t kMostWatchers = 16;

// The synchronous API tells a handler of a cancelled call only when it is asked.
constexpr absl::Duration kLookForCancellation = absl::Seconds(1);

}  // namespace

bool HealthService::Knows(const std::string& service) const {
  return service.empty() || service == kLiveness || service == kReadiness ||
         std::find(services_.begin(), services_.end(), service) != services_.end();
}

// A server that drains need not be killed.
HealthCheckResponse::ServingStatus HealthService::StatusOf(const std::string& service, bool draining) {
  return draining && service != kLiveness ? HealthCheckResponse::NOT_SERVING : HealthCheckResponse::SERVING;
}

void HealthService::Drain() {
  const absl::MutexLock lock(&mutex_);
  draining_ = true;
}

grpc::Status HealthService::Check(grpc::ServerContext* /*context*/, const HealthCheckRequest* request,
                                  HealthCheckResponse* response) {
  if (!Knows(request->service())) {
    return ToGrpcStatus(MakeError(absl::StatusCode::kNotFound, "there is no service " + Quoted(request->service()),
                                  {.reason = "SERVICE_NOT_FOUND"}));
  }
  const absl::MutexLock lock(&mutex_);
  response->set_status(StatusOf(request->service(), draining_));
  return grpc::Status::OK;
}

grpc::Status HealthService::Watch(grpc::ServerContext* context, const HealthCheckRequest* request,
                                  grpc::ServerWriter<HealthCheckResponse>* writer) {
  const bool known = Knows(request->service());
  bool draining = false;
  {
    const absl::MutexLock lock(&mutex_);
    if (watchers_ >= kMostWatchers) {
      return ToGrpcStatus(MakeError(absl::StatusCode::kResourceExhausted, "too many health watchers; use Check",
                                    {.reason = "RATE_LIMITED", .retry_delay = absl::Seconds(10)}));
    }
    ++watchers_;
    draining = draining_;
  }
  const bool ended_before = draining;
  HealthCheckResponse response;
  response.set_status(known ? StatusOf(request->service(), ended_before) : HealthCheckResponse::SERVICE_UNKNOWN);
  const bool open = writer->Write(response);
  while (open && !draining && !context->IsCancelled()) {
    const absl::MutexLock lock(&mutex_);
    draining = mutex_.AwaitWithTimeout(absl::Condition(&draining_), kLookForCancellation);
  }
  if (open && draining && !ended_before && known) {
    response.set_status(StatusOf(request->service(), draining));
    writer->Write(response);
  }
  const absl::MutexLock lock(&mutex_);
  --watchers_;
  return grpc::Status::OK;
}

}  // namespace pat
