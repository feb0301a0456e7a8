// CallGuard: the one wrapper that every handler of pat.v1 goes through (health and reflection are for anybody). It
// finds out who is calling, from where and over what, whether that caller may call this method, and notes in the audit
// log whom a method of management refused. (A gRPC C++ server interceptor cannot refuse a call, so this is not one.)
//
// Threads: thread-safe.
#ifndef PAT_SERVER_RPC_CALL_GUARD_H_
#define PAT_SERVER_RPC_CALL_GUARD_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/authn/authenticator.h"
#include "server/authn/call_info.h"
#include "server/core/audit_log.h"
#include "server/core/principal.h"
#include "server/rpc/refusal_observer.h"
#include "server/rpc/status_mapping.h"

namespace pat {

// What a listener tells of its callers. See CallInfo.
struct ListenerInfo {
  ListenerRole role = ListenerRole::kNone;
  std::string address = {};  // "unix:/run/pat/pat.sock", "127.0.0.1:7443".
  bool confidential = true;
  bool tls = false;                     // Every caller has shown a certificate.
  RefusalObserver* refusals = nullptr;  // Told of the calls that Admit() refuses; null: nobody wants to know.
};

class CallGuard {
 public:
  // One for each listener. What is given must outlive this object.
  CallGuard(Authenticator& authenticator, AuditLog& audit, ListenerInfo listener)
      : authenticator_(authenticator), audit_(&audit), listener_(std::move(listener)) {}

  // Where nothing is managed, and so nothing is written down.
  CallGuard(Authenticator& authenticator, ListenerInfo listener)
      : authenticator_(authenticator), audit_(nullptr), listener_(std::move(listener)) {}

  // What the call brought. Views into `context`, `peer` and this object. `peer` is filled where somebody may want to
  // know it: for management, and with a credential of a person. A cached introspection need not pay for it.
  CallInfo InfoOf(absl::string_view method, const grpc::ServerContextBase& context, std::string& peer) const;

  // Who calls, if that caller may call this. May block if Authenticator::MayBlock(call). `target`: see Run().
  // `context`: of this call, for the peer of one that is refused.
  absl::StatusOr<Principal> Admit(const CallInfo& call, const grpc::ServerContextBase& context,
                                  absl::string_view target = {}) const;

  // For calls that go on for long: whether a caller who was let in still is who it was, and still may call this. Reads
  // the store if it is a user. Errors: as of StandingOf() and CheckRights().
  absl::Status CheckStillAdmitted(const Principal& principal, absl::string_view method) const;

  // For the handlers of synchronous methods: `handle` gets the principal and answers with absl::Status. `target`: the
  // name of the resource in the request, for the audit log, as it came (AuditLog shows only what is one); empty if the
  // request has none.
  template <typename Handle>
  grpc::Status Run(absl::string_view method, const grpc::ServerContextBase& context, absl::string_view target,
                   Handle handle) const {
    std::string peer;
    const absl::StatusOr<Principal> principal = Admit(InfoOf(method, context, peer), context, target);
    if (!principal.ok()) return ToGrpcStatus(principal.status());
    const absl::Status status = handle(*principal);
    if (status.ok()) return grpc::Status::OK;
    NoteRefusal(*principal, method, target, status);
    return ToGrpcStatus(status);
  }

  // Notes that something was done that changes nothing and is audited all the same.
  void NoteDone(const Principal& principal, absl::string_view method, absl::string_view target) const;

 private:
  // From where, as a person may read it.
  std::string PeerOf(const grpc::ServerContextBase& context) const;

  // Only of methods of management, and only refusals by our rules: an engine that fails has refused nobody.
  void NoteRefusal(const Principal& principal, absl::string_view method, absl::string_view target,
                   const absl::Status& status) const;

  Authenticator& authenticator_;
  AuditLog* const audit_;
  const ListenerInfo listener_;
};

}  // namespace pat

#endif  // PAT_SERVER_RPC_CALL_GUARD_H_
