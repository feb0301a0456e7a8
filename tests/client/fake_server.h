// FakeServer: the services of pat.v1 and health over a real gRPC server, with answers that a test sets.
//
// It records what it was asked. Its state is for the test's thread, except while a call runs.
#ifndef PAT_TESTS_CLIENT_FAKE_SERVER_H_
#define PAT_TESTS_CLIENT_FAKE_SERVER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "pat/v1/audit_service.grpc.pb.h"
#include "pat/v1/introspection_service.grpc.pb.h"
#include "pat/v1/policy_service.grpc.pb.h"
#include "pat/v1/token_service.grpc.pb.h"
#include "pat/v1/user_service.grpc.pb.h"

namespace pat::client {

inline constexpr char kFakeSecret[] = "pat_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghi";

// A status as the server makes it: ErrorInfo, then the other details.
grpc::Status ErrorWith(grpc::StatusCode code, const std::string& message, const std::string& reason,
                       const std::vector<const google::protobuf::Message*>& details = {});

class FakeServer final : private v1::TokenService::Service,
                         private v1::IntrospectionService::Service,
                         private v1::UserService::Service,
                         private v1::PolicyService::Service,
                         private v1::AuditService::Service,
                         private grpc::health::v1::Health::Service {
 public:
  // Listens on a Unix socket in a directory of its own, or at `listen` (port 0: any), with these credentials.
  FakeServer();
  FakeServer(const std::string& listen, std::shared_ptr<grpc::ServerCredentials> credentials);
  ~FakeServer() override;

  // For --server.
  const std::string& address() const { return address_; }

  // Of this user there are tokens. Pages have two.
  std::vector<v1::Token> tokens;
  std::vector<v1::Scope> scopes;
  std::vector<v1::User> users;  // Changes of users and of the policy are answered, but not kept.
  v1::Policy policy;
  std::vector<v1::AuditEvent> audit_events;
  int64_t revoked_count = 0;
  v1::IntrospectResponse introspection;
  grpc::health::v1::HealthCheckResponse health;
  google::protobuf::Timestamp last_accept_time;
  std::string secret = kFakeSecret;

  // In front of every page there is one with nothing in it: what was there is not for the caller.
  bool empty_pages = false;

  // If not empty, every page is said to be followed by this one.
  std::string fixed_page_token;

  // Every call is answered with it, if it is an error.
  grpc::Status error;

  // Runs at the beginning of each call.
  std::function<void(grpc::ServerContext&)> on_call;

  // What was asked, in order: methods, and the last request of each kind. Of calls that end or replace something it is
  // told whether nothing was to be changed: "RevokeToken validate_only".
  std::vector<std::string> calls;
  std::vector<std::string> authorizations;  // Of each call; "": none.
  v1::CreateTokenRequest create_request;
  v1::GetTokenRequest get_request;
  v1::ListTokensRequest list_request;
  v1::UpdateTokenRequest update_request;
  v1::RevokeTokenRequest revoke_request;
  v1::RegenerateTokenRequest regenerate_request;
  v1::RevokeAllTokensRequest revoke_all_request;
  v1::ReportLeakedTokenRequest leaked_request;
  v1::ListScopesRequest scopes_request;
  v1::IntrospectRequest introspect_request;
  v1::CreateUserRequest create_user_request;
  v1::GetUserRequest get_user_request;
  v1::UpdateUserRequest update_user_request;
  v1::DeleteUserRequest delete_user_request;
  v1::SetPasswordRequest set_password_request;
  v1::UpdatePolicyRequest update_policy_request;
  std::vector<v1::ListAuditEventsRequest> audit_requests;
  grpc::health::v1::HealthCheckRequest health_request;

 private:
  using Context = grpc::ServerContext;

  grpc::Status CreateToken(Context*, const v1::CreateTokenRequest*, v1::CreateTokenResponse*) override;
  grpc::Status GetToken(Context*, const v1::GetTokenRequest*, v1::GetTokenResponse*) override;
  grpc::Status ListTokens(Context*, const v1::ListTokensRequest*, v1::ListTokensResponse*) override;
  grpc::Status UpdateToken(Context*, const v1::UpdateTokenRequest*, v1::UpdateTokenResponse*) override;
  grpc::Status RevokeToken(Context*, const v1::RevokeTokenRequest*, v1::RevokeTokenResponse*) override;
  grpc::Status RegenerateToken(Context*, const v1::RegenerateTokenRequest*, v1::RegenerateTokenResponse*) override;
  grpc::Status RevokeAllTokens(Context*, const v1::RevokeAllTokensRequest*, v1::RevokeAllTokensResponse*) override;
  grpc::Status ReportLeakedToken(Context*, const v1::ReportLeakedTokenRequest*,
                                 v1::ReportLeakedTokenResponse*) override;
  grpc::Status ListScopes(Context*, const v1::ListScopesRequest*, v1::ListScopesResponse*) override;
  grpc::Status Introspect(Context*, const v1::IntrospectRequest*, v1::IntrospectResponse*) override;
  grpc::Status Check(Context*, const grpc::health::v1::HealthCheckRequest*,
                     grpc::health::v1::HealthCheckResponse*) override;

  // In fake_admin_services.cc.
  grpc::Status CreateUser(Context*, const v1::CreateUserRequest*, v1::CreateUserResponse*) override;
  grpc::Status GetUser(Context*, const v1::GetUserRequest*, v1::GetUserResponse*) override;
  grpc::Status ListUsers(Context*, const v1::ListUsersRequest*, v1::ListUsersResponse*) override;
  grpc::Status UpdateUser(Context*, const v1::UpdateUserRequest*, v1::UpdateUserResponse*) override;
  grpc::Status DeleteUser(Context*, const v1::DeleteUserRequest*, v1::DeleteUserResponse*) override;
  grpc::Status SetPassword(Context*, const v1::SetPasswordRequest*, v1::SetPasswordResponse*) override;
  grpc::Status GetPolicy(Context*, const v1::GetPolicyRequest*, v1::GetPolicyResponse*) override;
  grpc::Status UpdatePolicy(Context*, const v1::UpdatePolicyRequest*, v1::UpdatePolicyResponse*) override;
  grpc::Status ListAuditEvents(Context*, const v1::ListAuditEventsRequest*, v1::ListAuditEventsResponse*) override;

  // Records the call; what it returns is the answer if it is an error.
  grpc::Status Begin(Context& context, const std::string& method);
  const v1::Token* Find(const std::string& name) const;
  const v1::User* FindUser(const std::string& name) const;

  std::string directory_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace pat::client

#endif  // PAT_TESTS_CLIENT_FAKE_SERVER_H_
