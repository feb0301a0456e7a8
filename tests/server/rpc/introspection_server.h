// IntrospectionServer: the service on a server of its own, on loopback.
#ifndef PAT_TESTS_SERVER_RPC_INTROSPECTION_SERVER_H_
#define PAT_TESTS_SERVER_RPC_INTROSPECTION_SERVER_H_

#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "pat/v1/introspection_service.grpc.pb.h"
#include "server/authn/authenticator.h"
#include "server/authn/identities.h"
#include "server/authn/password_verifier.h"
#include "server/core/audit_log.h"
#include "server/core/change_feed.h"
#include "server/core/commit_watch.h"
#include "server/core/executor.h"
#include "server/core/introspection.h"
#include "server/core/use_recorder.h"
#include "server/rpc/call_guard.h"
#include "server/rpc/introspection_service.h"
#include "tests/server/authn/passwords.h"
#include "tests/server/rpc/status_details.h"
#include "tests/support/test_authority.h"

namespace pat {

// With `watched`, the changes of that store are those that are watched. Without `keeps_uses`, ReportUse is not served.
//
// Threads: for one thread, but Stop() may be called from another while calls are made.
class IntrospectionServer {
 public:
  IntrospectionServer(TestAuthority& authority, FactsReader& facts, Executor& executor, ListenerRole role,
                      const IntrospectionServiceOptions& options = {}, TokenStore* watched = nullptr,
                      bool keeps_uses = true)
      : passwords_(authority.store, authority.clock, {.cost = kCheapCost}),
        authenticator_(identities_, authority.store, passwords_, authority.facts),
        audit_(authority.store, *authority.peppers, authority.clock),
        guard_(authenticator_, audit_, {.role = role, .address = "the address"}),
        introspector_(facts, authority.clock),
        feed_(watched != nullptr ? *watched : authority.store),
        commits_(watched != nullptr ? *watched : authority.store),
        service_(introspector_, guard_, executor, authority.clock, options, {&feed_, &commits_},
                 keeps_uses ? &uses_ : nullptr) {
    grpc::ServerBuilder builder;
    service_.Register(builder);
    // A real connection: gRPC's in-process one breaks all calls as soon as its server begins to end.
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    server_ = builder.BuildAndStart();
    service_.Start();
    address_ = absl::StrCat("127.0.0.1:", port);
    channel_ = grpc::CreateChannel(address_, grpc::InsecureChannelCredentials());
    stub_ = v1::IntrospectionService::NewStub(channel_);
  }
  ~IntrospectionServer() { Stop(); }

  // As a listener does it. Calls under way have so many seconds.
  void Stop(int seconds = 5, bool end_streams = true) {
    if (server_ == nullptr) return;
    if (end_streams) service_.EndStreams();
    server_->Shutdown(gpr_time_from_seconds(seconds, GPR_TIMESPAN));
    service_.Shutdown();
    server_ = nullptr;
  }

  grpc::Status Introspect(const v1::IntrospectRequest& request, v1::IntrospectResponse& response,
                          const Metadata& metadata = {}) {
    grpc::ClientContext context;
    for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
    return stub_->Introspect(&context, request, &response);
  }
  grpc::Status BatchIntrospect(const v1::BatchIntrospectRequest& request, v1::BatchIntrospectResponse& response,
                               const Metadata& metadata = {}) {
    grpc::ClientContext context;
    for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
    return stub_->BatchIntrospect(&context, request, &response);
  }

  AuditLog& audit() { return audit_; }
  UseRecorder& uses() { return uses_; }
  v1::IntrospectionService::Stub& stub() { return *stub_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  const std::string& address() const { return address_; }

 private:
  const IdentityTable identities_;
  PasswordVerifier passwords_;
  Authenticator authenticator_;
  AuditLog audit_;
  const CallGuard guard_;
  Introspector introspector_;
  const ChangeFeed feed_;
  CommitWatch commits_;
  UseRecorder uses_;
  IntrospectionServiceImpl service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::IntrospectionService::Stub> stub_;
};

// A call that is begun now and answered some day. Must have been answered when it goes.
class PendingIntrospect {
 public:
  PendingIntrospect(IntrospectionServer& server, const v1::IntrospectRequest& request, const Metadata& metadata = {})
      : request_(request) {
    for (const auto& [name, value] : metadata) context_.AddMetadata(name, value);
    server.stub().async()->Introspect(&context_, &request_, &response_, [this](const grpc::Status& status) {
      status_ = status;
      answered_.Notify();
    });
  }
  ~PendingIntrospect() { answered_.WaitForNotification(); }

  bool answered() const { return answered_.HasBeenNotified(); }
  void Cancel() { context_.TryCancel(); }

  // Waits.
  const grpc::Status& status() const {
    answered_.WaitForNotification();
    return status_;
  }

 private:
  grpc::ClientContext context_;
  const v1::IntrospectRequest request_;
  v1::IntrospectResponse response_;
  grpc::Status status_;
  absl::Notification answered_;
};

inline v1::IntrospectRequest RequestFor(const std::string& token) {
  v1::IntrospectRequest request;
  request.set_token(token);
  return request;
}

}  // namespace pat

#endif  // PAT_TESTS_SERVER_RPC_INTROSPECTION_SERVER_H_
