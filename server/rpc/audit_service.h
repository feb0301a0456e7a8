// AuditService over gRPC: authenticate, parse, ask the audit log, map. Synchronous, as TokenService.
#ifndef PAT_SERVER_RPC_AUDIT_SERVICE_H_
#define PAT_SERVER_RPC_AUDIT_SERVICE_H_

#include "pat/v1/audit_service.grpc.pb.h"
#include "server/core/audit_log.h"
#include "server/rpc/call_guard.h"

namespace pat {

// Threads: gRPC calls the methods from several threads. What is given must outlive this object.
class AuditServiceImpl final : public v1::AuditService::Service {
 public:
  AuditServiceImpl(const AuditLog& audit, const CallGuard& guard) : audit_(audit), guard_(guard) {}

  grpc::Status ListAuditEvents(grpc::ServerContext* context, const v1::ListAuditEventsRequest* request,
                               v1::ListAuditEventsResponse* response) override;

 private:
  const AuditLog& audit_;
  const CallGuard& guard_;
};

}  // namespace pat

#endif  // PAT_SERVER_RPC_AUDIT_SERVICE_H_
