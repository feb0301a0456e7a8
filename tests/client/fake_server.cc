#include "tests/client/fake_server.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "tests/client/fake_pages.h"

namespace pat::client {
namespace {

std::string MakeDirectory() {
  std::string path = (std::filesystem::temp_directory_path() / "patctl-test-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary directory");
  return path;
}

}  // namespace

grpc::Status ErrorWith(grpc::StatusCode code, const std::string& message, const std::string& reason,
                       const std::vector<const google::protobuf::Message*>& details) {
  google::rpc::Status status;
  status.set_code(code);
  status.set_message(message);
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("pat-sidecar");
  status.add_details()->PackFrom(info);
  for (const google::protobuf::Message* detail : details) status.add_details()->PackFrom(*detail);
  return grpc::Status(code, message, status.SerializeAsString());
}

FakeServer::FakeServer() : FakeServer("", grpc::InsecureServerCredentials()) {}

FakeServer::FakeServer(const std::string& listen, std::shared_ptr<grpc::ServerCredentials> credentials)
    : directory_(MakeDirectory()) {
  const std::string address = listen.empty() ? absl::StrCat("unix:", directory_, "/pat.sock") : listen;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(address, std::move(credentials), &port);
  builder.RegisterService(static_cast<v1::TokenService::Service*>(this));
  builder.RegisterService(static_cast<v1::IntrospectionService::Service*>(this));
  builder.RegisterService(static_cast<v1::UserService::Service*>(this));
  builder.RegisterService(static_cast<v1::PolicyService::Service*>(this));
  builder.RegisterService(static_cast<v1::AuditService::Service*>(this));
  builder.RegisterService(static_cast<grpc::health::v1::Health::Service*>(this));
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) throw std::runtime_error("cannot listen on " + address);
  address_ = listen.empty() ? address : absl::StrCat(listen.substr(0, listen.rfind(':')), ":", port);
}

FakeServer::~FakeServer() {
  server_->Shutdown();
  std::filesystem::remove_all(directory_);
}

grpc::Status FakeServer::Begin(Context& context, const std::string& method) {
  calls.push_back(method);
  const auto found = context.client_metadata().find("authorization");
  authorizations.push_back(
      found == context.client_metadata().end() ? "" : std::string(found->second.data(), found->second.size()));
  if (on_call) on_call(context);
  return error;
}

const v1::Token* FakeServer::Find(const std::string& name) const {
  for (const v1::Token& token : tokens) {
    if (token.name() == name) return &token;
  }
  return nullptr;
}

grpc::Status FakeServer::CreateToken(Context* context, const v1::CreateTokenRequest* request,
                                     v1::CreateTokenResponse* response) {
  create_request = *request;
  if (grpc::Status status = Begin(*context, "CreateToken"); !status.ok()) return status;
  v1::Token& token = *response->mutable_token();
  token.set_uid("0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3");
  token.set_name(absl::StrCat(request->parent(), "/tokens/", token.uid()));
  token.set_display_name(request->display_name());
  *token.mutable_scopes() = request->scopes();
  token.set_state(v1::Token::STATE_ACTIVE);
  *token.mutable_expire_time() = request->expire_time();
  if (!request->validate_only()) response->set_secret(secret);
  return grpc::Status::OK;
}

grpc::Status FakeServer::GetToken(Context* context, const v1::GetTokenRequest* request,
                                  v1::GetTokenResponse* response) {
  get_request = *request;
  if (grpc::Status status = Begin(*context, "GetToken"); !status.ok()) return status;
  const v1::Token* token = Find(request->name());
  if (token == nullptr) return ErrorWith(grpc::StatusCode::NOT_FOUND, "no such token", "TOKEN_NOT_FOUND");
  *response->mutable_token() = *token;
  return grpc::Status::OK;
}

grpc::Status FakeServer::ListTokens(Context* context, const v1::ListTokensRequest* request,
                                    v1::ListTokensResponse* response) {
  list_request = *request;
  if (grpc::Status status = Begin(*context, "ListTokens"); !status.ok()) return status;
  response->set_next_page_token(Page(tokens, request->page_token(), empty_pages, response->mutable_tokens()));
  if (!fixed_page_token.empty()) response->set_next_page_token(fixed_page_token);
  return grpc::Status::OK;
}

grpc::Status FakeServer::UpdateToken(Context* context, const v1::UpdateTokenRequest* request,
                                     v1::UpdateTokenResponse* response) {
  update_request = *request;
  if (grpc::Status status = Begin(*context, "UpdateToken"); !status.ok()) return status;
  *response->mutable_token() = request->token();
  return grpc::Status::OK;
}

grpc::Status FakeServer::RevokeToken(Context* context, const v1::RevokeTokenRequest* request,
                                     v1::RevokeTokenResponse* response) {
  revoke_request = *request;
  if (grpc::Status status = Begin(*context, Method("RevokeToken", *request)); !status.ok()) return status;
  if (const v1::Token* token = Find(request->name())) *response->mutable_token() = *token;
  *response->mutable_last_accept_time() = last_accept_time;
  return grpc::Status::OK;
}

grpc::Status FakeServer::RegenerateToken(Context* context, const v1::RegenerateTokenRequest* request,
                                         v1::RegenerateTokenResponse* response) {
  regenerate_request = *request;
  if (grpc::Status status = Begin(*context, Method("RegenerateToken", *request)); !status.ok()) return status;
  if (const v1::Token* token = Find(request->name())) *response->mutable_token() = *token;
  if (!request->validate_only()) response->set_secret(secret);
  *response->mutable_previous_secret_last_accept_time() = last_accept_time;
  return grpc::Status::OK;
}

grpc::Status FakeServer::RevokeAllTokens(Context* context, const v1::RevokeAllTokensRequest* request,
                                         v1::RevokeAllTokensResponse* response) {
  revoke_all_request = *request;
  if (grpc::Status status = Begin(*context, Method("RevokeAllTokens", *request)); !status.ok()) return status;
  response->set_revoked_count(revoked_count);
  *response->mutable_last_accept_time() = last_accept_time;
  return grpc::Status::OK;
}

grpc::Status FakeServer::ReportLeakedToken(Context* context, const v1::ReportLeakedTokenRequest* request,
                                           v1::ReportLeakedTokenResponse*) {
  leaked_request = *request;
  return Begin(*context, "ReportLeakedToken");
}

grpc::Status FakeServer::ListScopes(Context* context, const v1::ListScopesRequest* request,
                                    v1::ListScopesResponse* response) {
  scopes_request = *request;
  if (grpc::Status status = Begin(*context, "ListScopes"); !status.ok()) return status;
  response->set_next_page_token(Page(scopes, request->page_token(), empty_pages, response->mutable_scopes()));
  if (!fixed_page_token.empty()) response->set_next_page_token(fixed_page_token);
  return grpc::Status::OK;
}

grpc::Status FakeServer::Introspect(Context* context, const v1::IntrospectRequest* request,
                                    v1::IntrospectResponse* response) {
  introspect_request = *request;
  if (grpc::Status status = Begin(*context, "Introspect"); !status.ok()) return status;
  *response = introspection;
  return grpc::Status::OK;
}

grpc::Status FakeServer::Check(Context* context, const grpc::health::v1::HealthCheckRequest* request,
                               grpc::health::v1::HealthCheckResponse* response) {
  health_request = *request;
  if (grpc::Status status = Begin(*context, "Check"); !status.ok()) return status;
  *response = health;
  return grpc::Status::OK;
}

}  // namespace pat::client
