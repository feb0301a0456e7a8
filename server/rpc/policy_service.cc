#include "server/rpc/policy_service.h"

#include "server/rpc/messages.h"

namespace pat {

grpc::Status PolicyServiceImpl::GetPolicy(grpc::ServerContext* context, const v1::GetPolicyRequest* /*request*/,
                                          v1::GetPolicyResponse* response) {
  return guard_.Run("/pat.v1.PolicyService/GetPolicy", *context, kPolicyTarget,
                    [&](const Principal& principal) -> absl::Status {
                      const absl::StatusOr<PolicyRecord> policy = rules_.Get(principal);
                      if (!policy.ok()) return policy.status();
                      SetPolicy(*policy, *response->mutable_policy());
                      return absl::OkStatus();
                    });
}

grpc::Status PolicyServiceImpl::UpdatePolicy(grpc::ServerContext* context, const v1::UpdatePolicyRequest* request,
                                             v1::UpdatePolicyResponse* response) {
  return guard_.Run("/pat.v1.PolicyService/UpdatePolicy", *context, kPolicyTarget,
                    [&](const Principal& principal) -> absl::Status {
                      const v1::Policy& wanted = request->policy();
                      const absl::StatusOr<ChangedPolicy> changed =
                          rules_.Update(principal, {.tokens_disabled = wanted.tokens_disabled(),
                                                    .maximum_lifespan = ReadSpan(wanted.maximum_lifespan()),
                                                    .maximum_live_tokens = wanted.maximum_live_tokens(),
                                                    .forbidden_scopes = ReadTexts(wanted.forbidden_scopes()),
                                                    .update_mask = ReadTexts(request->update_mask().paths()),
                                                    .etag = wanted.etag(),
                                                    .validate_only = request->validate_only()});
                      if (!changed.ok()) return changed.status();
                      SetPolicy(changed->policy, *response->mutable_policy());
                      SetTimestamp(changed->last_accept_time, *response->mutable_last_accept_time());
                      return absl::OkStatus();
                    });
}

}  // namespace pat
