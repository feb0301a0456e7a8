// The services of FakeServer that are for administrators.
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/field_mask_util.h"
#include "tests/client/fake_pages.h"
#include "tests/client/fake_server.h"

namespace pat::client {

using google::protobuf::util::FieldMaskUtil;

const v1::User* FakeServer::FindUser(const std::string& name) const {
  for (const v1::User& user : users) {
    if (user.name() == name) return &user;
  }
  return nullptr;
}

grpc::Status FakeServer::CreateUser(Context* context, const v1::CreateUserRequest* request,
                                    v1::CreateUserResponse* response) {
  create_user_request = *request;
  if (grpc::Status status = Begin(*context, Method("CreateUser", *request)); !status.ok()) return status;
  *response->mutable_user() = request->user();
  response->mutable_user()->set_name(absl::StrCat("users/", request->user_id()));
  response->mutable_user()->set_uid("7e57ab1e-0000-4000-8000-000000000001");
  return grpc::Status::OK;
}

grpc::Status FakeServer::GetUser(Context* context, const v1::GetUserRequest* request, v1::GetUserResponse* response) {
  get_user_request = *request;
  if (grpc::Status status = Begin(*context, "GetUser"); !status.ok()) return status;
  const v1::User* user = FindUser(request->name());
  if (user == nullptr) return ErrorWith(grpc::StatusCode::NOT_FOUND, "no such user", "USER_NOT_FOUND");
  *response->mutable_user() = *user;
  return grpc::Status::OK;
}

grpc::Status FakeServer::ListUsers(Context* context, const v1::ListUsersRequest* request,
                                   v1::ListUsersResponse* response) {
  if (grpc::Status status = Begin(*context, "ListUsers"); !status.ok()) return status;
  response->set_next_page_token(Page(users, request->page_token(), empty_pages, response->mutable_users()));
  return grpc::Status::OK;
}

grpc::Status FakeServer::UpdateUser(Context* context, const v1::UpdateUserRequest* request,
                                    v1::UpdateUserResponse* response) {
  update_user_request = *request;
  if (grpc::Status status = Begin(*context, Method("UpdateUser", *request)); !status.ok()) return status;
  if (const v1::User* user = FindUser(request->user().name())) *response->mutable_user() = *user;
  FieldMaskUtil::MergeOptions options;
  options.set_replace_repeated_fields(true);
  FieldMaskUtil::MergeMessageTo(request->user(), request->update_mask(), options, response->mutable_user());
  *response->mutable_last_accept_time() = last_accept_time;
  return grpc::Status::OK;
}

grpc::Status FakeServer::DeleteUser(Context* context, const v1::DeleteUserRequest* request,
                                    v1::DeleteUserResponse* response) {
  delete_user_request = *request;
  if (grpc::Status status = Begin(*context, Method("DeleteUser", *request)); !status.ok()) return status;
  response->set_revoked_count(revoked_count);
  *response->mutable_last_accept_time() = last_accept_time;
  return grpc::Status::OK;
}

grpc::Status FakeServer::SetPassword(Context* context, const v1::SetPasswordRequest* request,
                                     v1::SetPasswordResponse*) {
  set_password_request = *request;
  return Begin(*context, "SetPassword");
}

grpc::Status FakeServer::GetPolicy(Context* context, const v1::GetPolicyRequest*, v1::GetPolicyResponse* response) {
  if (grpc::Status status = Begin(*context, "GetPolicy"); !status.ok()) return status;
  *response->mutable_policy() = policy;
  return grpc::Status::OK;
}

grpc::Status FakeServer::UpdatePolicy(Context* context, const v1::UpdatePolicyRequest* request,
                                      v1::UpdatePolicyResponse* response) {
  update_policy_request = *request;
  if (grpc::Status status = Begin(*context, Method("UpdatePolicy", *request)); !status.ok()) return status;
  *response->mutable_policy() = policy;
  FieldMaskUtil::MergeOptions options;
  options.set_replace_repeated_fields(true);
  options.set_replace_message_fields(true);
  FieldMaskUtil::MergeMessageTo(request->policy(), request->update_mask(), options, response->mutable_policy());
  *response->mutable_last_accept_time() = last_accept_time;
  return grpc::Status::OK;
}

grpc::Status FakeServer::ListAuditEvents(Context* context, const v1::ListAuditEventsRequest* request,
                                         v1::ListAuditEventsResponse* response) {
  audit_requests.push_back(*request);
  if (grpc::Status status = Begin(*context, "ListAuditEvents"); !status.ok()) return status;
  response->set_next_page_token(
      Page(audit_events, request->page_token(), empty_pages, response->mutable_audit_events()));
  if (!fixed_page_token.empty()) response->set_next_page_token(fixed_page_token);
  return grpc::Status::OK;
}

}  // namespace pat::client
