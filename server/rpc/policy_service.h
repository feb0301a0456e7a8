// PolicyService over gRPC: authenticate, parse, call the rules, map. Synchronous, as TokenService.
#ifndef PAT_SERVER_RPC_POLICY_SERVICE_H_
#define PAT_SERVER_RPC_POLICY_SERVICE_H_

#include "pat/v1/policy_service.grpc.pb.h"
#include "server/core/policy_rules.h"
#include "server/rpc/call_guard.h"

namespace pat {

// Threads: gRPC calls the methods from several threads. What is given must outlive this object.
class PolicyServiceImpl final : public v1::PolicyService::Service {
 public:
  PolicyServiceImpl(PolicyRules& rules, const CallGuard& guard) : rules_(rules), guard_(guard) {}

  grpc::Status GetPolicy(grpc::ServerContext* context, const v1::GetPolicyRequest* request,
                         v1::GetPolicyResponse* response) override;
  grpc::Status UpdatePolicy(grpc::ServerContext* context, const v1::UpdatePolicyRequest* request,
                            v1::UpdatePolicyResponse* response) override;

 private:
  PolicyRules& rules_;
  const CallGuard& guard_;
};

}  // namespace pat

#endif  // PAT_SERVER_RPC_POLICY_SERVICE_H_
