// CallGuard: the one wrapper that every handler of pat.v1 goes through (health and reflection are for anybody). It
// finds out who is calling and whether that caller may call this method. (A gRPC C++ server interceptor cannot refuse a
// call, so this is not one.)
//
// Threads: thread-safe.
#ifndef PAT_SERVER_RPC_CALL_GUARD_H_
#define PAT_SERVER_RPC_CALL_GUARD_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/authn/authenticator.h"
#include "server/authn/call_info.h"
#include "server/core/principal.h"
#include "server/rpc/status_mapping.h"

namespace pat {

class CallGuard {
 public:
  // One for each listener: `role` is what that listener takes a caller for who brings no credential.
  CallGuard(Authenticator& authenticator, ListenerRole role) : authenticator_(authenticator), role_(role) {}

  // What the call brought. Views into `context`.
  CallInfo InfoOf(absl::string_view method, const grpc::ServerContextBase& context) const;

  // Who calls, if that caller may call this. May block if Authenticator::MayBlock(call).
  absl::StatusOr<Principal> Admit(const CallInfo& call) const;

  // For the handlers of synchronous methods: `handle` gets the principal and answers with absl::Status.
  template <typename Handle>
  grpc::Status Run(absl::string_view method, const grpc::ServerContextBase& context, Handle handle) const {
    const absl::StatusOr<Principal> principal = Admit(InfoOf(method, context));
    if (!principal.ok()) return ToGrpcStatus(principal.status());
    const absl::Status status = handle(*principal);
    return status.ok() ? grpc::Status::OK : ToGrpcStatus(status);
  }

 private:
  Authenticator& authenticator_;
  const ListenerRole role_;
};

}  // namespace pat

#endif  // PAT_SERVER_RPC_CALL_GUARD_H_
