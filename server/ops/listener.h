// Listener: one address, with a gRPC server of its own that has every service of its role. (Listeners of different
// roles have to be different servers: a call does not tell through which port of a server it came.)
#ifndef PAT_SERVER_OPS_LISTENER_H_
#define PAT_SERVER_OPS_LISTENER_H_

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/core/audit_log.h"
#include "server/core/clock.h"
#include "server/core/executor.h"
#include "server/core/introspection.h"
#include "server/core/page_token.h"
#include "server/core/policy_rules.h"
#include "server/core/scope_catalog.h"
#include "server/core/token_lifecycle.h"
#include "server/core/use_recorder.h"
#include "server/core/user_lifecycle.h"
#include "server/ops/listen_address.h"
#include "server/ops/server_limits.h"
#include "server/ops/unix_socket.h"
#include "server/rpc/audit_service.h"
#include "server/rpc/call_guard.h"
#include "server/rpc/health_service.h"
#include "server/rpc/introspection_service.h"
#include "server/rpc/policy_service.h"
#include "server/rpc/refusal_observer.h"
#include "server/rpc/token_service.h"
#include "server/rpc/user_service.h"
#include "server/rpc/watch_streams.h"

namespace pat {

// What the services of management work with.
struct ManagementParts {
  TokenLifecycle& tokens;
  UserLifecycle& users;
  PolicyRules& policy;
  AuditLog& audit;
  const ScopeCatalog& catalog;
  const PageTokens& scope_page_tokens;
};

// What a listener serves. All of it must outlive the listener.
struct ServingParts {
  std::optional<ManagementParts> management;  // Absent: introspection only, as a sidecar.
  Introspector& introspector;
  Authenticator& authenticator;
  Executor& credentials;  // Where the credentials of introspection calls are checked.
  const Clock& clock;
  WatchSource changes;  // Of nulls: no WatchRevocations.
  UseRecorder* uses;    // What is reported of uses; null: no ReportUse.
  std::string issuer;
  std::function<std::string()> incarnation;  // IntrospectionServiceOptions::incarnation.
  RefusalObserver* refusals = nullptr;       // Of calls; null: nobody is told.
};

// The services of pat.v1 that a listener with these parts has.
const std::vector<std::string>& ServedApis(bool with_management);

// Where a listener listens, and whom it takes its callers for.
struct ListenerSettings {
  ListenAddress address = {};
  ListenerRole role = ListenerRole::kNone;
  bool confidential = true;                                // A password or a token may be sent here.
  std::shared_ptr<grpc::ServerCredentials> tls = nullptr;  // Null: plaintext.
  bool reflection = true;
  absl::Duration connection_age = absl::Minutes(10);
};

// Threads: for the thread that made it, but for Stop().
class Listener {
 public:
  // Listens and serves at once, so everything else has to be ready before. Errors name the address: it is in use, or
  // may not be used.
  static absl::StatusOr<std::unique_ptr<Listener>> Create(const ListenerSettings& settings, const ServingParts& parts);
  ~Listener();

  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // As it is used: with the port that the system chose, if it was asked to, and with the role that callers have here,
  // unless that is ListenerRole::kDev or kNone.
  const ListenAddress& address() const { return address_; }

  // Health says NOT_SERVING from now on.
  void Drain() { health_.Drain(); }

  // Ends the streams, takes no new calls, lets those under way finish for so long, cancels the rest. Returns when all
  // are gone. May be called from another thread, so that several listeners stop at the same time.
  void Stop(absl::Duration drain_time = kDrainTime);

 private:
  Listener(const ListenerSettings& settings, const ServingParts& parts);

  absl::Status Listen(const ListenerSettings& settings);

  ListenAddress address_;
  const bool has_management_;
  const CallGuard guard_;
  std::vector<std::unique_ptr<grpc::Service>> management_;
  IntrospectionServiceImpl introspection_;
  HealthService health_;
  std::vector<std::unique_ptr<grpc::Service>> reflection_;
  std::unique_ptr<UnixSocketPlace> socket_place_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace pat

#endif  // PAT_SERVER_OPS_LISTENER_H_
