#include "client/patctl/commands.h"
#include "client/patctl/policy_view.h"
#include "pat/v1/policy_service.grpc.pb.h"

namespace pat::patctl {

absl::StatusOr<ExitCode> PolicyShow(Session& session) {
  if (absl::Status status = session.Connect(Access::kUser); !status.ok()) return status;
  const auto stub = v1::PolicyService::NewStub(session.channel());
  v1::GetPolicyResponse response;
  absl::Status status = session.Call(*stub, &v1::PolicyService::Stub::GetPolicy, v1::GetPolicyRequest(), &response);
  if (!status.ok()) return status;
  status = session.options().json ? session.PrintJson(response) : session.Print(ShowPolicy(response.policy()));
  if (!status.ok()) return status;
  return ExitCode::kDone;
}

}  // namespace pat::patctl
