// IntrospectionApi: how each method of IntrospectionService is served. Those of the hot path, and the stream, as bytes
// on a completion queue; ReportUse, which is rare, by plain synchronous code.
#ifndef PAT_SERVER_RPC_INTROSPECTION_API_H_
#define PAT_SERVER_RPC_INTROSPECTION_API_H_

#include "pat/v1/introspection_service.grpc.pb.h"
#include "server/core/clock.h"
#include "server/core/use_recorder.h"
#include "server/rpc/call_guard.h"

namespace pat {

using IntrospectionMethods =
    v1::IntrospectionService::WithRawMethod_Introspect<v1::IntrospectionService::WithRawMethod_BatchIntrospect<
        v1::IntrospectionService::WithRawMethod_WatchRevocations<v1::IntrospectionService::Service>>>;

// Threads: gRPC calls ReportUse from several threads.
class IntrospectionApi final : public IntrospectionMethods {
 public:
  // What is given must outlive this object. `uses` null: ReportUse is UNIMPLEMENTED, to whoever may
  // call it.
  IntrospectionApi(const CallGuard& guard, const Clock& clock, UseRecorder* uses)
      : guard_(guard), clock_(clock), uses_(uses) {}

  grpc::Status ReportUse(grpc::ServerContext* context, const v1::ReportUseRequest* request,
                         v1::ReportUseResponse* response) override;

 private:
  const CallGuard& guard_;
  const Clock& clock_;
  UseRecorder* const uses_;
};

}  // namespace pat

#endif  // PAT_SERVER_RPC_INTROSPECTION_API_H_
