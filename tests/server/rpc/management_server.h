// ManagementServer: the services of tokens, users, policy and audit on a server of their own, on loopback.
#ifndef PAT_TESTS_SERVER_RPC_MANAGEMENT_SERVER_H_
#define PAT_TESTS_SERVER_RPC_MANAGEMENT_SERVER_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "server/authn/authenticator.h"
#include "server/authn/identities.h"
#include "server/authn/password_verifier.h"
#include "server/core/audit_log.h"
#include "server/core/page_token.h"
#include "server/core/policy_rules.h"
#include "server/core/user_lifecycle.h"
#include "server/rpc/audit_service.h"
#include "server/rpc/call_guard.h"
#include "server/rpc/policy_service.h"
#include "server/rpc/token_service.h"
#include "server/rpc/user_service.h"
#include "tests/server/authn/passwords.h"
#include "tests/server/rpc/status_details.h"
#include "tests/support/test_authority.h"

namespace pat {

// What came back of a call.
template <typename Response>
struct Answer {
  grpc::Status status;
  Response message;
};

template <typename Response>
std::string Outcome(const Answer<Response>& answer) {
  return Outcome(answer.status);
}

// Threads: for one thread.
class ManagementServer {
 public:
  explicit ManagementServer(TestAuthority& authority, ListenerRole role = ListenerRole::kDev)
      : passwords_(authority.store, authority.clock, {.cost = kCheapCost}),
        authenticator_(identities_, authority.store, passwords_, authority.facts),
        audit_(authority.store, *authority.peppers, authority.clock),
        guard_(authenticator_, audit_, {.role = role, .address = "the address"}),
        users_(authority.store, *authority.catalog, passwords_, audit_, *authority.peppers, authority.clock),
        policy_(authority.store, *authority.catalog, audit_, authority.clock),
        scope_page_tokens_(authority.peppers->DeriveKey("page tokens of ListScopes")),
        token_service_(authority.tokens, *authority.catalog, scope_page_tokens_, guard_),
        user_service_(users_, guard_),
        policy_service_(policy_, guard_),
        audit_service_(audit_, guard_) {
    grpc::ServerBuilder builder;
    builder.RegisterService(&token_service_);
    builder.RegisterService(&user_service_);
    builder.RegisterService(&policy_service_);
    builder.RegisterService(&audit_service_);
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    server_ = builder.BuildAndStart();
    channel_ = grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials());
    stubs_ = {v1::TokenService::NewStub(channel_), v1::UserService::NewStub(channel_),
              v1::PolicyService::NewStub(channel_), v1::AuditService::NewStub(channel_)};
  }

  // Call(&v1::UserService::Stub::GetUser, request, metadata).
  template <typename Stub, typename Request, typename Response>
  Answer<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                        const Request& request, const Metadata& metadata = {}) {
    grpc::ClientContext context;
    for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
    Answer<Response> answer;
    answer.status = (std::get<std::unique_ptr<Stub>>(stubs_).get()->*method)(&context, request, &answer.message);
    return answer;
  }

  AuditLog& audit() { return audit_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  const IdentityTable identities_;
  PasswordVerifier passwords_;
  Authenticator authenticator_;
  AuditLog audit_;
  const CallGuard guard_;
  UserLifecycle users_;
  PolicyRules policy_;
  const PageTokens scope_page_tokens_;
  TokenServiceImpl token_service_;
  UserServiceImpl user_service_;
  PolicyServiceImpl policy_service_;
  AuditServiceImpl audit_service_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::tuple<std::unique_ptr<v1::TokenService::Stub>, std::unique_ptr<v1::UserService::Stub>,
             std::unique_ptr<v1::PolicyService::Stub>, std::unique_ptr<v1::AuditService::Stub>>
      stubs_;
};

// Admin administers; ada and bob have accounts. The password of each is kPassword.
class ManagementTest : public testing::Test {
 protected:
  using Tokens = v1::TokenService::Stub;
  using Users = v1::UserService::Stub;
  using PolicyStub = v1::PolicyService::Stub;
  using Audit = v1::AuditService::Stub;

  static constexpr char kPassword[] = "a password, for all";

  explicit ManagementTest(ListenerRole role = ListenerRole::kDev) : server_(authority_, role) {
    for (const char* id : {"ada", "admin", "bob"}) {
      authority_.AddUser(id);
      GivePassword(*authority_.engine, id, kPassword);
    }
    authority_.ChangeUser("admin", [](UserRecord& user) { user.administrator = true; });
  }

  static Metadata As(absl::string_view user_id) { return {{"authorization", Basic(user_id, kPassword)}}; }
  static Metadata AsPortalFor(absl::string_view user_id) { return {{"x-pat-user", std::string(user_id)}}; }
  static Metadata Bearing(absl::string_view secret) { return {{"authorization", absl::StrCat("Bearer ", secret)}}; }

  template <typename Method, typename Request>
  auto Call(Method method, const Request& request, const Metadata& metadata = As("admin")) {
    return server_.Call(method, request, metadata);
  }

  // All rows of the audit log, noted ones too, oldest first.
  std::vector<AuditRecord> AuditRows() {
    const absl::Status flushed = server_.audit().Flush(/*all=*/true);
    EXPECT_TRUE(flushed.ok()) << flushed;
    const absl::StatusOr<AuditPage> page = authority_.engine->ListAudit({.limit = 1000});
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? page->rows : std::vector<AuditRecord>();
  }

  // "user:ada GetToken users/bob ROLE_REQUIRED", of each.
  std::vector<std::string> AuditLines() {
    std::vector<std::string> lines;
    for (const AuditRecord& row : AuditRows()) {
      lines.push_back(absl::StrCat(row.principal, " ", row.method, " ", row.target, " ", row.outcome));
    }
    return lines;
  }

  TestAuthority authority_;
  ManagementServer server_;
};

}  // namespace pat

#endif  // PAT_TESTS_SERVER_RPC_MANAGEMENT_SERVER_H_
