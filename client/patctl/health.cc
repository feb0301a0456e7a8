#include "absl/strings/str_cat.h"
#include "client/patctl/commands.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace pat::patctl {

absl::StatusOr<ExitCode> Health(const std::string& service, Session& session) {
  using grpc::health::v1::HealthCheckResponse;
  if (absl::Status status = session.Connect(Access::kPublic); !status.ok()) return status;
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(service);
  HealthCheckResponse response;
  const auto stub = grpc::health::v1::Health::NewStub(session.channel());
  absl::Status status = session.Call(*stub, &grpc::health::v1::Health::Stub::Check, request, &response);
  if (!status.ok()) return status;
  const std::string state = HealthCheckResponse::ServingStatus_IsValid(response.status())
                                ? HealthCheckResponse::ServingStatus_Name(response.status())
                                : absl::StrCat(static_cast<int>(response.status()));
  status = session.options().json ? session.PrintJson(response) : session.Print(absl::StrCat(state, "\n"));
  if (!status.ok()) return status;
  return response.status() == HealthCheckResponse::SERVING ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace pat::patctl
